//! A whole system with stand-ins for the services: started, crashed, replaced, found again and stopped.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dev_stack::servers::scratch_folder;
use dev_stack::stack::{Reroute, SANDBOX, State};
use dev_stack::{Lifetime, Settings, Signal, Stack};
use roster::SERVICES;

/// A folder in which every service is the stand-in.
fn stand_ins(folder: &Path) -> PathBuf {
    let stand_in = env!("CARGO_BIN_EXE_dev-stack-stand-in");
    let binaries = folder.join("bin");
    std::fs::create_dir_all(&binaries).unwrap();
    for name in SERVICES.iter().chain(&[SANDBOX]) {
        std::os::unix::fs::symlink(stand_in, binaries.join(name)).unwrap();
    }
    binaries
}

#[test]
fn a_system_lives_through_crashes_and_ends_whole() {
    let folder = scratch_folder().unwrap();
    let mut settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    settings.order_replicas = 2;
    let stack = Stack::start(&settings, &()).unwrap();
    let state = stack.state();
    assert_eq!(
        state.processes.len(),
        4 + 1 + SERVICES.len() + 1,
        "stores, sandbox, services, replica"
    );
    assert!(state.processes.iter().all(|entry| entry.id.is_running()));

    stack.kill("order").unwrap();
    assert_eq!(stack.ended().len(), 1);
    assert_eq!(stack.readiness("order").unwrap(), None);
    assert_eq!(stack.readiness("order-2").unwrap().unwrap().status, 200);
    let ports = stack.plan().ports_of("order").unwrap();
    stack.start_again("order").unwrap();
    assert_eq!(stack.plan().ports_of("order").unwrap(), ports);
    assert_eq!(stack.readiness("order").unwrap().unwrap().status, 200);
    assert!(stack.ended().is_empty());
    restart_while_somebody_looks(&stack);
    assert!(Stack::start(&settings, &()).is_err(), "the folder is in use");

    stack.stop("cart").unwrap();
    assert!(!stack.state().entry("cart").unwrap().id.is_running());
    let log = std::fs::read_to_string(stack.plan().log("cart")).unwrap();
    assert!(log.starts_with("ready on 127.0.0.1:"), "{log}");

    let ids: Vec<_> = stack.state().processes.iter().map(|entry| entry.id).collect();
    drop(stack);
    assert!(ids.iter().all(|id| !id.is_running()));
    assert!(State::read(&settings.folder).unwrap().is_none());
}

/// Once, each waited for a lock of the other.
fn restart_while_somebody_looks(stack: &Stack) {
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let looks = || {
            while !done.load(Ordering::Relaxed) {
                stack.ended();
            }
        };
        threads.spawn(looks);
        threads.spawn(looks);
        for _ in 0..10 {
            stack.kill("product").unwrap();
            stack.start_again("product").unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// What a program says, when it succeeds.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn stores_crash_and_come_back_with_their_data() {
    let folder = scratch_folder().unwrap();
    let settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    let stack = Stack::start(&settings, &()).unwrap();
    let plan = stack.plan();
    let sql = |text: &str| {
        let mut psql = Command::new("psql");
        output(psql.args(["-XAtq", "-c", text]).arg(plan.database_url("order")))
            .trim()
            .to_owned()
    };
    let broker = |words: &[&str]| output(Command::new(&plan.stores.rabbitmqctl).args(words));

    sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)");
    stack.kill("postgres").unwrap();
    stack.start_again("postgres").unwrap();
    assert_eq!(sql("SELECT n FROM kept"), "1");
    sql("UPDATE kept SET n = 2");
    stack.signal("postgres", Signal::Quit).unwrap();
    assert!(stack.await_end("postgres", Duration::from_secs(10)).unwrap());
    stack.start_again("postgres").unwrap();
    assert_eq!(sql("SELECT n FROM kept"), "2");

    broker(&["add_vhost", "kept"]);
    stack.kill("rabbitmq").unwrap();
    stack.start_again("rabbitmq").unwrap();
    assert!(broker(&["list_vhosts"]).contains("kept"));
    stack.stop("rabbitmq").unwrap();
    stack.start_again("rabbitmq").unwrap();
    assert!(broker(&["list_vhosts"]).contains("kept"));

    stack.kill("redis").unwrap();
    stack.start_again("redis").unwrap();
    assert!(stack.start_again("redis").is_err(), "it runs");
    assert!(stack.ended().is_empty());
    assert_eq!(stack.plan(), plan, "the addresses are the same");
}

#[test]
fn a_link_leads_where_a_test_wants_it() {
    let folder = scratch_folder().unwrap();
    let mut settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    let between = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.reroute = Some(Reroute::new(move |link| {
        let ours =
            link.process == "order" && ["PAYMENT_URL", "DATABASE_URL"].contains(&link.variable.as_str());
        Ok(if ours { between } else { link.address })
    }));
    let stack = Stack::start(&settings, &()).unwrap();
    let plan = stack.plan();
    let told = &plan.extra["order"];
    assert_eq!(plan.extra.len(), 1);
    assert_eq!(told.len(), 2);
    assert_eq!(told["PAYMENT_URL"], format!("http://{between}"));
    assert!(told["DATABASE_URL"].ends_with(&format!("@{between}/order_db")));
    let environment = |name: &str| {
        let pid = stack.state().entry(name).unwrap().id.pid;
        std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap()
    };
    assert!(environment("order").contains(&format!("PAYMENT_URL=http://{between}\0")));
    assert!(!environment("payment").contains(&between.to_string()));
    stack.kill("order").unwrap();
    stack.start_again("order").unwrap();
    assert!(environment("order").contains(&format!("PAYMENT_URL=http://{between}\0")));
}

#[test]
fn a_detached_system_is_found_again_and_stopped() {
    let folder = scratch_folder().unwrap();
    let mut settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    settings.lifetime = Lifetime::Detached;
    drop(Stack::start(&settings, &()).unwrap());
    let stack = Stack::attach(&settings.folder).unwrap().unwrap();
    let ids: Vec<_> = stack.state().processes.iter().map(|entry| entry.id).collect();
    assert!(ids.iter().all(|id| id.is_running()));
    stack.kill("payment").unwrap();
    stack.start_again("payment").unwrap();
    let payment = stack.state().entry("payment").unwrap().id;
    stack.stop_all(&());
    assert!(
        ids.iter()
            .chain([&payment])
            .all(|id| id.await_end(Duration::from_secs(1)))
    );
    assert!(Stack::attach(&settings.folder).unwrap().is_none());
}

#[test]
fn a_process_starts_again_when_its_ports_are_free_and_says_who_keeps_them() {
    let folder = scratch_folder().unwrap();
    let mut settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    settings.lifetime = Lifetime::Detached;
    let stack = Stack::start(&settings, &()).unwrap();
    // Killed from outside, and its port is kept for a moment: as by threads that are still going.
    let other = Stack::attach(&settings.folder).unwrap().unwrap();
    let ops = ("127.0.0.1", stack.plan().ports_of("order").unwrap().ops);
    let take = |name: &str| {
        stack.signal(name, Signal::Kill).unwrap();
        assert!(stack.await_end(name, Duration::from_secs(5)).unwrap());
        TcpListener::bind(ops).unwrap()
    };
    let held = take("order");
    let freed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        drop(held);
    });
    other.start_again("order").unwrap();
    freed.join().unwrap();
    assert_eq!(other.readiness("order").unwrap().unwrap().status, 200);
    other.kill("order").unwrap();
    let held = TcpListener::bind(ops).unwrap();
    let error = format!("{:#}", other.start_again("order").unwrap_err());
    let said = format!("port {} by process {}", ops.1, std::process::id());
    assert!(
        error.contains("order can't start") && error.contains(&said),
        "{error}"
    );
    drop(held);
    other.start_again("order").unwrap();
    other.stop_all(&());
}

#[test]
fn what_is_held_stays_away_until_it_is_released() {
    let folder = scratch_folder().unwrap();
    let mut settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    settings.lifetime = Lifetime::Detached;
    let stack = Stack::start(&settings, &()).unwrap();
    stack.hold("payment").unwrap();
    assert!(stack.is_held("payment") && !stack.is_held("order"));
    assert!(
        stack.ended().is_empty(),
        "nobody is asked to start again what is held"
    );
    stack.signal("order", Signal::Stop).unwrap();
    assert!(stack.state().entry("order").unwrap().id.is_frozen());
    // Another program lets them go, as the control room does.
    let other = Stack::attach(&settings.folder).unwrap().unwrap();
    other.release("payment").unwrap();
    other.release("order").unwrap();
    assert!(!stack.is_held("payment"));
    assert_eq!(stack.readiness("payment").unwrap().unwrap().status, 200);
    assert!(!stack.state().entry("order").unwrap().id.is_frozen());
    other.signal("order", Signal::Stop).unwrap();
    let begun = std::time::Instant::now();
    other.stop_all(&());
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "a frozen process is thawed to hear that it should end"
    );
}

#[test]
fn a_service_that_does_not_start_takes_everything_down() {
    let folder = scratch_folder().unwrap();
    let settings = Settings::for_tests(folder.path().join("data"), stand_ins(folder.path()));
    let broken = settings.binaries.join("payment");
    std::fs::remove_file(&broken).unwrap();
    std::os::unix::fs::symlink("/bin/false", &broken).unwrap();
    let error = format!("{:#}", Stack::start(&settings, &()).unwrap_err());
    assert!(error.contains("payment does not start"), "{error}");
    assert!(State::read(&settings.folder).unwrap().is_none());
}
