//! Who sees whom.

use serde_json::{Value, json};

use crate::entrance::{Auth, fault, user_id};
use test_kit::Statements;

const ENTITIES: &str =
    "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { id email displayName } } }";

fn users(ids: &[&str]) -> Value {
    let representations: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "__typename": "User", "id": id }))
        .collect();
    json!({ "r": representations })
}

#[tokio::test]
async fn users_see_themselves_and_staff_sees_everybody() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let support = auth
        .with_roles(&root, "sue@example.com", &["CUSTOMER", "SUPPORT"])
        .await;
    let (ada, bob) = (
        auth.register("ada@example.com").await,
        auth.register("bob@example.com").await,
    );
    let nobody = "usr_01h455vb4pex5vsknk084sn02q";
    let ids = users(&[&ada.user, &bob.user, nobody, "ord_1", ""]);
    let seen = |answer: Value| {
        assert!(answer["errors"].is_null(), "{answer}");
        let entities = answer["data"]["_entities"].as_array().unwrap().clone();
        entities
            .iter()
            .map(|entity| entity["email"].clone())
            .collect::<Vec<_>>()
    };
    let (a, b) = (json!("ada@example.com"), json!("bob@example.com"));
    let as_ada = seen(auth.ask(Some(&ada.access), ENTITIES, ids.clone()).await);
    assert_eq!(
        as_ada,
        [a.clone(), Value::Null, Value::Null, Value::Null, Value::Null]
    );
    let as_support = seen(auth.ask(Some(&support.access), ENTITIES, ids.clone()).await);
    assert_eq!(as_support, [a, b, Value::Null, Value::Null, Value::Null]);
    let as_nobody = seen(auth.ask(None, ENTITIES, ids).await);
    assert!(as_nobody.iter().all(Value::is_null));

    let one = "query($id: ID!) { user(id: $id) { email } }";
    assert_eq!(
        fault(&auth.ask(Some(&ada.access), one, json!({ "id": ada.user })).await),
        "FORBIDDEN"
    );
    assert_eq!(
        fault(&auth.ask(None, one, json!({ "id": ada.user })).await),
        "UNAUTHENTICATED"
    );
    let found = auth
        .ask(Some(&support.access), one, json!({ "id": ada.user }))
        .await;
    assert_eq!(found["data"]["user"]["email"], "ada@example.com");
    let gone = auth
        .ask(Some(&support.access), one, json!({ "id": nobody }))
        .await;
    assert_eq!(gone["data"], json!({ "user": null }));
    let anonymous = auth.ask(None, "{ me { id } }", json!({})).await;
    assert_eq!(anonymous["data"], json!({ "me": null }));
}

#[tokio::test]
async fn a_hundred_entities_are_one_statement() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let ids = fill(&auth, 100).await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let statements = Statements::counted();
    let answer = auth.ask(Some(&root.access), ENTITIES, users(&ids)).await;
    assert_eq!(statements.taken(), 1);
    let entities = answer["data"]["_entities"].as_array().unwrap();
    assert!(
        entities.iter().zip(&ids).all(|(entity, id)| entity["id"] == *id),
        "in order: {answer}"
    );
}

#[tokio::test]
async fn pages_hold_every_user_once_newest_first() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let mut expected = fill(&auth, 25).await;
    expected.insert(0, root.user.clone());
    expected.reverse();
    let query = "query($after: String) { users(first: 10, after: $after) {
        nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let (mut seen, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let answer = auth
            .ask(Some(&root.access), query, json!({ "after": after }))
            .await;
        let page = &answer["data"]["users"];
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(pages > 0));
        seen.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!((seen, pages), (expected, 3));
}

#[tokio::test]
async fn a_search_is_a_text_and_no_pattern() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    auth.try_register("per%cent@example.com", "some long password", "Under_score")
        .await;
    auth.register("ada@example.com").await;
    for (search, expected) in [
        ("%", 1),
        ("_", 1),
        ("UNDER", 1),
        ("example.com", 3),
        ("  ADA ", 1),
        ("", 3),
        ("'; --", 0),
    ] {
        let query = "query($s: String) { users(search: $s) { nodes { id } } }";
        let answer = auth.ask(Some(&root.access), query, json!({ "s": search })).await;
        assert_eq!(
            answer["data"]["users"]["nodes"].as_array().map(Vec::len),
            Some(expected),
            "{search}: {answer}"
        );
    }
}

#[tokio::test]
async fn lists_are_for_staff_and_arguments_are_checked() {
    let auth = Auth::open().await;
    let root = auth.root().await;
    let ada = auth.register("ada@example.com").await;
    let list = "query($first: Int! = 20, $after: String, $search: String) {
        users(first: $first, after: $after, search: $search) { nodes { id } } }";
    assert_eq!(
        fault(&auth.ask(Some(&ada.access), list, json!({})).await),
        "FORBIDDEN"
    );
    assert_eq!(fault(&auth.ask(None, list, json!({})).await), "UNAUTHENTICATED");
    let long = "x".repeat(300);
    for bad in [
        json!({ "first": 0 }),
        json!({ "first": -1 }),
        json!({ "first": 1_000_000 }),
        json!({ "after": "nonsense" }),
        json!({ "after": ada.user }),
        json!({ "search": "a\u{0}b" }),
        json!({ "search": long }),
    ] {
        assert_eq!(
            fault(&auth.ask(Some(&root.access), list, bad.clone()).await),
            "BAD_USER_INPUT",
            "{bad}"
        );
    }
}

/// Users straight into the table: hashing a hundred passwords would prove nothing here.
async fn fill(auth: &Auth, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let id = contracts::UserId::generate();
        sqlx::query(
            "INSERT INTO app_user (id, email, email_key, display_name, password_hash, roles, created_at)
             VALUES ($1, $2, $2, 'U', '', '{CUSTOMER}', now())",
        )
        .bind(id.uuid())
        .bind(format!("user{n}@example.org"))
        .execute(&auth.db.pool)
        .await
        .unwrap();
        assert_eq!(user_id(&id.to_string()), id);
        ids.push(id.to_string());
    }
    ids
}
