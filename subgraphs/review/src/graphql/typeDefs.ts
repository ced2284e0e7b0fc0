/** Review's part of the graph. `npm run sdl` prints it sorted into `schema.graphql`, which composition reads. */

/** Directives that every subgraph imports. */
export const LINK = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.5",
  import: ["@key", "@tag", "@shareable", "@inaccessible", "@override", "@external", "@provides", "@requires", "@composeDirective", "@interfaceObject", "@requiresScopes"]
)`;

export const TYPES = `
"""
Implement the DateTime<Utc> scalar

The input/output is a string in RFC3339 format.
"""
scalar DateTime

type Query {
  "A review; hidden ones are for their author and for staff."
  review(
    "Its id."
    id: ID!
  ): Review
  "All reviews, newest first. For staff."
  reviews(
    "How many, 1 to 100."
    first: Int! = 20
    "The cursor after which the page begins."
    after: String
    "Only reviews that stand so."
    status: ReviewStatus
  ): ReviewConnection! @tag(name: "internal")
}

type Mutation {
  "Reviews a product that one has bought; one review each."
  createReview(
    "What to say."
    input: CreateReviewInput!
  ): ReviewPayload!
  "Changes one's own review."
  updateReview(
    "What to say instead."
    input: UpdateReviewInput!
  ): ReviewPayload!
  "Deletes one's own review."
  deleteReview(
    "Which."
    input: DeleteReviewInput!
  ): DeleteReviewPayload!
  "Takes a review down: nobody but its author and staff see it, and it counts no more. For staff."
  hideReview(
    "Which, and why."
    input: HideReviewInput!
  ): ReviewPayload! @tag(name: "internal")
  "Puts a review back that was taken down. For staff."
  showReview(
    "Which."
    input: ShowReviewInput!
  ): ReviewPayload! @tag(name: "internal")
}

"What the shop shows as one page; its variants are what is bought."
type Product @key(fields: "id") {
  "Its id."
  id: ID!
  "The average of all ratings, 1 to 5; nothing without a review."
  averageRating: Float
  "How many reviews it has."
  reviewCount: Int
  "What buyers say of it."
  reviews(
    "How many, 1 to 100."
    first: Int! = 10
    "The cursor after which the page begins; of a page in the same order."
    after: String
    "Which come first."
    sort: ReviewSort! = NEWEST
  ): ReviewConnection
  "Whether the viewer has bought it and not reviewed it yet; nothing for who is not signed in."
  viewerCanReview: Boolean
  "The viewer's own review of it."
  viewerReview: Review
}

"A registered user; visible to themselves and to staff."
type User @key(fields: "id") {
  "The user's id."
  id: ID!
  "Their reviews, newest first; for themselves and for staff."
  reviews(
    "How many, 1 to 100."
    first: Int! = 20
    "The cursor after which the page begins."
    after: String
  ): ReviewConnection
}

"What somebody who bought a product thinks of it."
type Review @key(fields: "id") {
  "The review's id."
  id: ID!
  "The product."
  product: Product
  "Who wrote it; for themselves and for staff."
  author: User
  "From 1 to 5."
  rating: Int!
  "In a few words."
  title: String!
  "In many words."
  body: String!
  "When it was written."
  createdAt: DateTime!
  "When it was last changed by its author."
  editedAt: DateTime
  "Whether everybody sees it."
  status: ReviewStatus!
  "Why it was taken down; for its author and for staff."
  hiddenReason: String
}

"Whether everybody sees a review."
enum ReviewStatus {
  "Everybody sees it."
  VISIBLE
  "Staff took it down; its author and staff see it."
  HIDDEN
}

"In which order reviews are listed."
enum ReviewSort {
  "The latest first."
  NEWEST
  "The best ratings first."
  HIGHEST
  "The worst ratings first."
  LOWEST
}

"A page of reviews."
type ReviewConnection {
  "The reviews, each with its cursor."
  edges: [ReviewEdge!]!
  "The reviews."
  nodes: [Review!]!
  "Where the page stands in its list."
  pageInfo: PageInfo!
}

"A review on a page."
type ReviewEdge {
  "Pass it as \`after\` for what follows."
  cursor: String!
  "The review."
  node: Review!
}

"Where a page stands in its list."
type PageInfo @shareable {
  "Whether more items follow this page."
  hasNextPage: Boolean!
  "Whether items precede this page."
  hasPreviousPage: Boolean!
  "The cursor of the first item."
  startCursor: String
  "The cursor of the last item: pass it as \`after\` for the next page."
  endCursor: String
}

"What to say of a product."
input CreateReviewInput {
  "The product; one that was bought."
  productId: ID!
  "From 1 to 5."
  rating: Int!
  "1 to 120 characters."
  title: String!
  "1 to 5000 characters."
  body: String!
  "The same key and input have the same outcome and change nothing more."
  idempotencyKey: ID!
}

"What a review is to say instead."
input UpdateReviewInput {
  "The review."
  reviewId: ID!
  "From 1 to 5."
  rating: Int!
  "1 to 120 characters."
  title: String!
  "1 to 5000 characters."
  body: String!
}

"Which review to delete."
input DeleteReviewInput {
  "The review."
  reviewId: ID!
}

"Which review to take down, and why."
input HideReviewInput @tag(name: "internal") {
  "The review."
  reviewId: ID!
  "Shown to its author; 1 to 500 characters."
  reason: String!
}

"Which review to put back."
input ShowReviewInput @tag(name: "internal") {
  "The review."
  reviewId: ID!
}

"A review after a change, or why there was none."
type ReviewPayload {
  "The review."
  review: Review
  "Business reasons why nothing was changed."
  userErrors: [ReviewUserError!]!
}

"What was deleted, or why nothing was."
type DeleteReviewPayload {
  "The product, with its ratings as they are now."
  product: Product
  "The id of the review that is gone."
  deletedReviewId: ID
  "Business reasons why nothing was changed."
  userErrors: [ReviewUserError!]!
}

"A business reason why a review was not written or changed."
type ReviewUserError implements UserError {
  "What happened, for programs."
  code: ReviewErrorCode!
  "What happened, for people."
  message: String!
  "The path of the input field at fault, from the argument down."
  field: [String!]
}

"Why a review was not written or changed."
enum ReviewErrorCode {
  "There is a review of this product by the same user; edit that."
  ALREADY_REVIEWED
  "The idempotency key belongs to another request."
  IDEMPOTENCY_KEY_REUSED
  "A value breaks a rule; \`field\` names it."
  INVALID
  "The product was not bought, not paid for yet, or given back."
  NOT_A_BUYER
  "There is no such review, or it is somebody else's."
  NOT_FOUND
  "Staff took the review down."
  REVIEW_HIDDEN
}

"A business reason why a mutation did not do what was asked."
interface UserError {
  "What happened, for people."
  message: String!
  "The path of the input field at fault, from the argument down."
  field: [String!]
}
`;
