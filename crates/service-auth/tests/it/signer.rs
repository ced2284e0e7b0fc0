//! Rotation of the user keys.

use std::path::Path;
use std::time::{Duration, SystemTime};

use contracts::{SessionId, UserId};
use service_auth::issue::UserSigner;
use service_auth::{Role, Roles, UserVerifier, keys};
use service_kit::Clock;

const TTL: Duration = Duration::from_mins(15);

fn write_key(dir: &Path, kid: &str, age: Duration) {
    let path = dir.join(format!("{kid}.pem"));
    std::fs::write(&path, keys::generate().unwrap().private_pem).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn kid(token: &str) -> String {
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    header.kid.unwrap()
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::system().now());
    write_key(dir.path(), "old", Duration::from_hours(1));
    let signer = UserSigner::from_dir(dir.path(), "mercato", "mercato")
        .unwrap()
        .with_clock(clock.clone());
    let (user, session) = (UserId::generate(), SessionId::generate());
    let roles = Roles::from([Role::Admin].as_slice());
    let mint = || signer.mint(user, roles, session, TTL).0;
    let before = mint();
    assert_eq!(kid(&before), "old");

    write_key(dir.path(), "new", Duration::ZERO);
    signer.reload().unwrap();
    assert_eq!(signer.jwks()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(kid(&mint()), "old", "verifiers may not know the new one yet");
    clock.advance(Duration::from_secs(61));
    let after = mint();
    assert_eq!(kid(&after), "new");

    let verifier = UserVerifier::try_fixed(&signer.jwks(), "mercato", "mercato", clock.clone()).unwrap();
    for token in [&before, &after] {
        let seen = verifier.verify(token).await.unwrap();
        assert_eq!((seen.id, seen.session, seen.is_staff()), (user, session, true));
    }
    std::fs::remove_file(dir.path().join("old.pem")).unwrap();
    signer.reload().unwrap();
    verifier.replace_keys(&signer.jwks()).unwrap();
    assert!(verifier.verify(&before).await.is_err(), "withdrawn");
    assert!(verifier.verify(&after).await.is_ok());
}

#[test]
fn a_single_fresh_key_signs_at_once_and_a_lost_folder_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    assert!(UserSigner::from_dir(dir.path(), "mercato", "mercato").is_err());
    write_key(dir.path(), "only", Duration::ZERO);
    let signer = UserSigner::from_dir(dir.path(), "mercato", "mercato").unwrap();
    std::fs::remove_file(dir.path().join("only.pem")).unwrap();
    assert!(signer.reload().is_err());
    let (token, _) = signer.mint(UserId::generate(), Roles::default(), SessionId::generate(), TTL);
    assert_eq!(kid(&token), "only");
    assert!(
        !signer.jwks().to_string().contains("\"d\""),
        "never a private part"
    );
}
