// The viewer's own review: written, changed and deleted. Who has not bought the product sees nothing here.
import { useMutation, useQuery } from "@apollo/client/react";
import { Alert, Button, Card, Group, Rating, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import {
  CreateReviewDocument,
  DeleteReviewDocument,
  OwnReviewDocument,
  type OwnReviewPartsFragment,
  ProductReviewsDocument,
  type ReviewErrorCode,
  UpdateReviewDocument,
} from "../gql/documents";
import { reviewWords } from "../lib/errors";
import { newId } from "../lib/ids";
import { ReviewText } from "./Reviews";

const TITLE_MOST = 120;
const BODY_MOST = 5000;
/** What a change of a review changes: the list anew, its average, and whether one may write. */
const AFTERWARDS = { refetchQueries: [ProductReviewsDocument, OwnReviewDocument], awaitRefetchQueries: true };

interface Content {
  rating: number;
  title: string;
  body: string;
}

interface FormProps {
  label: string;
  begin: Content;
  /** Why not; nothing when it is done. */
  send(content: Content): Promise<ReviewErrorCode | undefined>;
  onCancel?: () => void;
}

function ReviewForm({ label, begin, send, onCancel }: FormProps) {
  const [content, setContent] = useState(begin);
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const put = (change: Partial<Content>) => setContent((now) => ({ ...now, ...change }));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setMissing(content.rating < 1);
    if (busy || content.rating < 1) return;
    setBusy(true);
    setRefused(null);
    setFault(null);
    try {
      const code = await send({ ...content, title: content.title.trim(), body: content.body.trim() });
      if (code) setRefused(reviewWords[code]);
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form aria-label={label} onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <div>
          <Text size="sm" fw={500}>
            Stars
          </Text>
          <Rating
            value={content.rating}
            onChange={(rating) => put({ rating })}
            size="lg"
            aria-label="Stars"
            getSymbolLabel={(stars) => (stars === 1 ? "1 star" : `${stars} stars`)}
          />
          {missing && (
            <Text size="xs" c="red" role="alert">
              Choose one to five stars.
            </Text>
          )}
        </div>
        <TextInput
          label="In a few words"
          required
          maxLength={TITLE_MOST}
          value={content.title}
          onChange={(event) => put({ title: event.currentTarget.value })}
        />
        <Textarea
          label="What do you think of it?"
          required
          autosize
          minRows={3}
          maxLength={BODY_MOST}
          value={content.body}
          onChange={(event) => put({ body: event.currentTarget.value })}
        />
        {refused && (
          <Alert color="yellow" role="alert">
            {refused}
          </Alert>
        )}
        {fault !== null && <Problem error={fault} />}
        <Group justify="flex-end">
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              Leave it as it is
            </Button>
          )}
          <Button type="submit" loading={busy}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Write({ productId }: { productId: string }) {
  const [create] = useMutation(CreateReviewDocument, AFTERWARDS);
  // The same review sent again, after an answer that got lost, is the same review.
  const sent = useRef({ text: "", idempotencyKey: "" });
  const send = async (content: Content) => {
    const text = JSON.stringify(content);
    if (sent.current.text !== text) sent.current = { text, idempotencyKey: newId() };
    const { idempotencyKey } = sent.current;
    const { data } = await create({ variables: { input: { ...content, productId, idempotencyKey } } });
    return data?.createReview.userErrors[0]?.code;
  };
  return (
    <Stack gap="sm">
      <Title order={3} size="h5">
        You bought this. How is it?
      </Title>
      <ReviewForm label="Send the review" begin={{ rating: 0, title: "", body: "" }} send={send} />
    </Stack>
  );
}

function Mine({ review }: { review: OwnReviewPartsFragment }) {
  const [editing, setEditing] = useState(false);
  const [update] = useMutation(UpdateReviewDocument, AFTERWARDS);
  const [remove, { loading: removing }] = useMutation(DeleteReviewDocument, AFTERWARDS);
  const hidden = review.status === "HIDDEN";

  const send = async (content: Content) => {
    const { data } = await update({ variables: { input: { ...content, reviewId: review.id } } });
    const refusal = data?.updateReview.userErrors[0]?.code;
    if (!refusal) setEditing(false);
    return refusal;
  };
  const drop = async () => {
    try {
      const { data } = await remove({ variables: { input: { reviewId: review.id } } });
      const refusal = data?.deleteReview.userErrors[0];
      if (refusal) notifyRefused(reviewWords[refusal.code]);
    } catch (error) {
      notifyFault(error);
    }
  };

  if (editing) {
    const { rating, title, body } = review;
    return (
      <ReviewForm
        label="Change the review"
        begin={{ rating, title, body }}
        send={send}
        onCancel={() => setEditing(false)}
      />
    );
  }
  return (
    <Stack gap="sm">
      <Title order={3} size="h5">
        Your review
      </Title>
      {hidden && (
        <Alert color="yellow" title="Only you see this review">
          The shop took it down: {review.hiddenReason}
        </Alert>
      )}
      <ReviewText review={review} />
      <Group justify="flex-end">
        {!hidden && (
          <Button variant="default" size="xs" onClick={() => setEditing(true)}>
            Change it
          </Button>
        )}
        <Button variant="light" color="red" size="xs" loading={removing} onClick={() => void drop()}>
          Delete it
        </Button>
      </Group>
    </Stack>
  );
}

export function OwnReview({ slug, productId }: { slug: string; productId: string }) {
  const { data } = useQuery(OwnReviewDocument, { variables: { slug }, fetchPolicy: "cache-and-network" });
  const product = data?.product;
  const mine = product?.viewerReview;
  // While it can't be told, the product is shown and bought as ever.
  if (!mine && !product?.viewerCanReview) return null;
  return (
    <Card withBorder radius="lg" padding="md">
      {mine ? <Mine key={mine.id} review={mine} /> : <Write productId={productId} />}
    </Card>
  );
}
