//! Wiring: what `docs/deploy` shows for containers, clusters, CI and platforms is taken out of its files and run.

use harness::{Database, Family, Project, Ran};
use nix::sys::signal::{Signal, kill};
use saphyr::{LoadableYamlNode, Yaml};
use std::fs;
use std::path::{Path, PathBuf};

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        each_platform_s_step_deploys,
        a_change_is_checked_before_it_is_merged,
        what_waits_starts_once_all_is_applied,
        the_entrypoint_starts_nothing_on_half_a_schema;
    natively [Postgres, MySql, MariaDb]: who_waits_needs_only_to_read;
    natively [Postgres]: the_entrypoint_passes_a_signal_on;
    natively [Sqlite]:
        each_file_is_what_its_reader_understands,
        codes_that_end_a_job_are_those_that_no_second_try_mends;
);

const USERS: (&str, &str) = ("1_users", "CREATE TABLE users (id int PRIMARY KEY, login varchar(40));");
const SEED: (&str, &str) = ("2_seed", "INSERT INTO users VALUES (1, 'ada');");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy")
}

fn text(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The value at a path, of the first document that has it.
fn at(file: &str, path: &[&str]) -> String {
    let text = text(file);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let found =
        documents.iter().find_map(|document| path.iter().try_fold(document, |node, key| step(node, key)));
    words(found.unwrap_or_else(|| panic!("{file} has no {}", path.join("."))))
}

fn step<'y>(node: &'y Yaml<'y>, key: &str) -> Option<&'y Yaml<'y>> {
    match key.parse() {
        Ok(index) => node.as_sequence_get(index),
        Err(_) => node.as_mapping_get(key),
    }
}

/// A text as it is, and a list as the lines of a script.
fn words(node: &Yaml<'_>) -> String {
    let lines = node.as_vec().map(|list| list.iter().map(words).collect::<Vec<_>>().join("\n"));
    lines.or_else(|| node.as_str().map(str::to_owned)).expect("text, or a list of it")
}

/// The program and arguments that a container runs, as a shell would be told them.
fn container(file: &str, path: &[&str]) -> String {
    let of = |key| at(file, &[path, &[key]].concat()).replace('\n', " ");
    if text(file).contains("args:") && path.contains(&"containers") {
        format!("{} {}", of("command"), of("args"))
    } else {
        of("command")
    }
}

/// The command of a unit, with the program and the credential where the test has them.
fn unit(project: &Project<'_>) -> String {
    let unit = text("shop-migrate.service");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    let credentials = project.path("credentials");
    fs::create_dir_all(&credentials).expect("a folder");
    let url = project.command(&[]);
    let url = url.get_envs().find_map(|(name, url)| url.filter(|_| name == "DATABASE_URL")).expect("a URL");
    fs::write(credentials.join("database-url"), url.to_str().expect("UTF-8")).expect("a file");
    let command = command.strip_prefix("/usr/local/bin/").expect("a whole path");
    format!("unset DATABASE_URL; CREDENTIALS_DIRECTORY='{}'; {command}", credentials.display())
}

/// The scripts of a job's steps, one after another, each in a shell of its own.
fn steps(job: &str) -> String {
    let text = text("github-actions.yml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let steps =
        step(&documents[0], "jobs").and_then(|jobs| step(jobs, job)).and_then(|job| step(job, "steps"));
    let steps = steps.and_then(Yaml::as_vec).expect("steps");
    let scripts = steps.iter().filter_map(|one| Some(format!("(\n{}\n)\n", step(one, "run")?.as_str()?)));
    scripts.collect()
}

/// A project with the scripts of `docs/deploy` on the path.
fn project<'d>(database: &'d Database, scripts: &[(&str, &str)]) -> Project<'d> {
    let project = Project::new(database, scripts);
    fs::create_dir_all(project.path("bin")).expect("a folder");
    for script in ["entrypoint.sh", "wait.sh"] {
        fs::copy(folder().join(script), project.path("bin").join(script)).expect("a copy");
    }
    project
}

async fn run(project: &Project<'_>, script: &str) -> Ran {
    project.end(project.shell(script)).await
}

async fn each_platform_s_step_deploys(database: &Database) {
    let project = project(database, &[USERS, SEED]);
    let fly: toml::Table = text("fly.toml").parse().expect("TOML");
    let fly = fly["deploy"]["release_command"].as_str().expect("a command").to_owned();
    let commands = [
        ("compose.yaml", container("compose.yaml", &["services", "migrate"])),
        ("kubernetes.yaml", container("kubernetes.yaml", &["spec", "template", "spec", "containers", "0"])),
        ("shop-migrate.service", unit(&project)),
        ("github-actions.yml", steps("deploy")),
        ("gitlab-ci.yml", at("gitlab-ci.yml", &["deploy", "script"])),
        ("fly.toml", fly),
        ("heroku.yml", at("heroku.yml", &["release", "command"])),
        ("render.yaml", at("render.yaml", &["services", "0", "preDeployCommand"])),
    ];
    for (file, command) in commands {
        assert!(command.contains("windlass deploy"), "{file}: {command}");
        database.empty().await;
        eprintln!("{file}: {command}");
        run(&project, &command).await.code(0).out("Applied 2_seed");
        assert_eq!(database.value("SELECT count(*) FROM users").await, "1", "{file}");
        run(&project, &command).await.code(0).out("nothing to do");
    }
}

/// The script of a check of changes, with what differs between a runner and a test.
fn checks(project: &Project<'_>) -> [(&'static str, String); 2] {
    let summary = project.path("summary");
    let github = format!("export GITHUB_STEP_SUMMARY='{}'\n{}", summary.display(), steps("check"));
    // There the change is the checkout itself.
    let gitlab =
        format!("cd change\nln -sfn ../base base\n{}", at("gitlab-ci.yml", &["migrations", "script"]));
    [("github-actions.yml", github), ("gitlab-ci.yml", gitlab)]
}

async fn a_change_is_checked_before_it_is_merged(database: &Database) {
    let project = project(database, &[]);
    let write = |side: &str, (name, text): (&str, &str)| {
        fs::create_dir_all(project.path(side).join("migrations")).expect("a folder");
        project.write(&format!("{side}/migrations/{name}.sql"), text);
    };
    write("base", USERS);
    for (file, script) in checks(&project) {
        eprintln!("{file}: {script}");
        // The change that brings the folder. A deploy of nothing does not make a SQLite file.
        if database.target().family != Family::Sqlite {
            fs::remove_dir_all(project.path("base/migrations")).expect("no folder");
            database.empty().await;
            write("change", USERS);
            run(&project, &script).await.code(0).out("Applied 1_users");
            write("base", USERS);
        }
        for migration in [USERS, SEED] {
            write("change", migration);
        }
        database.empty().await;
        let good = run(&project, &script).await.code(0).out("execute 2_seed 1/1: INSERT INTO users");
        good.out("1 migration would be applied").out("Applied 2_seed").out("2 applied");

        // A statement that the database refuses, and an edit of what is on the other branch already.
        write("change", (SEED.0, "INSERT INTO nowhere VALUES (1);"));
        database.empty().await;
        run(&project, &script).await.code(4).err("nowhere");
        write("change", (SEED.0, SEED.1));
        write("change", (USERS.0, "CREATE TABLE users (id int PRIMARY KEY, login varchar(80));"));
        database.empty().await;
        run(&project, &script).await.code(3).out("changed since applied: 1_users");
    }
    let posted = fs::read_to_string(project.path("plan.md")).expect("what is posted");
    assert!(posted.starts_with("```\n") && posted.ends_with("```\n"), "{posted}");
    let comment = steps("comment");
    assert!(comment.contains("--body-file plan.md"), "{comment}");
    let summary = fs::read_to_string(project.path("summary")).expect("the summary");
    assert!(summary.contains("execute 2_seed") && summary.contains("changed since applied"), "{summary}");
}

async fn what_waits_starts_once_all_is_applied(database: &Database) {
    let project = project(database, &[USERS, SEED]);
    database.sql("CREATE TABLE t (n int); DROP TABLE t;").await;
    let init = ["spec", "template", "spec", "initContainers", "0"];
    let wait = container("kubernetes.yaml", &init);
    assert_eq!(wait, "wait.sh");
    let wait = format!("{wait} echo started");
    let now = format!("WAIT_SECONDS=0 {wait}");
    let told = "waiting: not all migrations are applied yet\n";
    let early = run(&project, &now).await.code(8).err(told).err("pending  1_users");
    assert_eq!(early.stdout, "");

    let waiting = project.shell(&wait).spawn().expect("a shell");
    project.run(&["deploy"]).await.code(0);
    let ended = project.ended(waiting).await.code(0);
    assert_eq!(ended.stdout, "started\n");
    // The deploy may be done before the first look.
    assert!(["", told].contains(&ended.stderr.as_str()), "{ended:?}");
    run(&project, &now).await.code(0).out("started");

    // What blocks every deploy is told at once.
    project.migration("1_users", "CREATE TABLE users (another int);");
    let edited = run(&project, &now).await.code(8).err("changed since applied: 1_users");
    assert!(!edited.stderr.contains("waiting: "), "{edited:?}");
    project.migration(USERS.0, USERS.1);

    // Where waiting mends nothing, nobody waits; where it may, it is waited.
    let url = "DATABASE_URL=nonsense://";
    run(&project, &format!("{url} {wait}")).await.code(2).err("nonsense");
    if database.target().family != Family::Sqlite {
        let nowhere = "DATABASE_URL=$(echo \"$DATABASE_URL\" | sed 's/@[^/]*/@127.0.0.1:1/')";
        run(&project, &format!("{nowhere} {now}"))
            .await
            .code(6)
            .err("waiting: error: ")
            .err("no server answers");
    }
}

async fn who_waits_needs_only_to_read(database: &Database) {
    let project = project(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let reader = database.reader().await;
    let wait = format!("DATABASE_URL='{}' WAIT_SECONDS=0 wait.sh echo started", reader.url);
    run(&project, &wait).await.code(0).out("started");
    project.migration(SEED.0, SEED.1);
    let pending = run(&project, &wait).await.code(8).err("pending  2_seed").err("cannot be written to");
    pending.err("waiting: not all");
}

async fn the_entrypoint_starts_nothing_on_half_a_schema(database: &Database) {
    let project = project(database, &[USERS, SEED]);
    let good = run(&project, "entrypoint.sh echo 'the shop' is open").await.code(0);
    good.out("Applied 2_seed").out("\nthe shop is open\n");
    project.migration("3_bad", "INSERT INTO nowhere VALUES (1);");
    let bad = run(&project, "entrypoint.sh echo the shop is open").await.code(4).err("nowhere");
    assert!(!bad.stdout.contains("open"), "{bad:?}");
}

async fn the_entrypoint_passes_a_signal_on(database: &Database) {
    let n = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
    let project = project(database, &[n]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_long", "UPDATE n SET n = n + 1;\nCREATE TABLE y (n int);");
    let gate = database.gate("n").await;
    let child = project.shell("exec entrypoint.sh echo open").spawn().expect("a shell");
    database.running("n + 1").await;
    let number = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
    kill(number, Signal::SIGTERM).expect("sent");
    let ended = project.ended(child).await.code(9).err("SIGTERM");
    assert!(!ended.stdout.contains("open"), "{ended:?}");
    drop(gate);
    run(&project, "entrypoint.sh echo open").await.code(0).out("open");
    assert_eq!(database.value("SELECT n FROM n").await, "1");
}

/// As far as that can be told without a cluster and a container engine.
async fn each_file_is_what_its_reader_understands(database: &Database) {
    let project = project(database, &[]);
    let mut files: Vec<_> =
        fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("one").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let text = text(&name);
        match file.extension().and_then(|kind| kind.to_str()) {
            Some("yaml" | "yml") => {
                let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(documents.iter().all(|document| document.is_mapping()), "{name}");
            }
            Some("toml") => {
                drop(text.parse::<toml::Table>().unwrap_or_else(|error| panic!("{name}: {error}")))
            }
            Some("sh") => drop(run(&project, &format!("sh -n '{}'", file.display())).await.code(0)),
            Some("service") => unit_is_understood(&project, &name, &text).await,
            Some("Dockerfile") => image_is_built_of_its_stages(&name, &text),
            _ if name == "Dockerfile" => image_is_built_of_its_stages(&name, &text),
            _ => assert!(["README.md", "Dockerfile.dockerignore"].contains(&name.as_str()), "{name}"),
        }
    }
}

/// By systemd itself, where it is there. The programs are not: others stand for them.
async fn unit_is_understood(project: &Project<'_>, name: &str, text: &str) {
    let folder = project.path("units");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), text.replace("=/usr/local/bin/", "=/bin/true ")).expect("a file");
    // What another unit needs is looked for beside it.
    let verify = format!(
        "cd '{}'; command -v systemd-analyze >&2 || exit 0; systemd-analyze verify {name}",
        folder.display()
    );
    let told = run(project, &verify).await.code(0);
    let complaints = told.stderr.lines().filter(|line| line.contains(".service:"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
}

/// Each stage is copied from after it was begun, the last one does not run as root, and nothing is fetched by hand.
fn image_is_built_of_its_stages(name: &str, text: &str) {
    let whole = text.replace("\\\n", " ");
    let lines: Vec<Vec<&str>> = whole
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let known = ["FROM", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT", "CMD", "ENV", "ARG"];
    let (mut stages, mut user) = (Vec::new(), "");
    for line in &lines {
        assert!(known.contains(&line[0]), "{name}: {line:?}");
        match line[..] {
            ["FROM", image, ..] => {
                assert!(image == "scratch" || image.contains(':'), "{name}: {image} is of no version");
                stages.extend(line.iter().skip_while(|word| **word != "AS").nth(1));
                user = "";
            }
            ["COPY", from, ..] if from.starts_with("--from=") => {
                let from = from.trim_start_matches("--from=");
                assert!(stages.contains(&from) || from.contains(':'), "{name}: {line:?}");
            }
            ["USER", of] => user = of,
            _ => {}
        }
    }
    assert!(user.starts_with(|first: char| ('1'..='9').contains(&first)), "{name} runs as {user:?}");
}

async fn codes_that_end_a_job_are_those_that_no_second_try_mends(database: &Database) {
    let text = text("kubernetes.yaml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let rule = ["spec", "podFailurePolicy", "rules", "0", "onExitCodes", "values"];
    let values = rule.iter().try_fold(&documents[0], |node, key| step(node, key)).and_then(Yaml::as_vec);
    let final_codes: Vec<_> = values.expect("codes").iter().filter_map(Yaml::as_integer).collect();
    let project = project(database, &[USERS]);
    let is_final = |ran: Ran| final_codes.contains(&i64::from(ran.code.expect("a code")));
    assert!(is_final(run(&project, "windlass deploy --no-such-flag").await));
    assert!(is_final(run(&project, "windlass deploy --dir nowhere").await));
    database.sql("CREATE TABLE somebody_else_s (n int)").await;
    assert!(is_final(run(&project, "windlass deploy").await));
    database.empty().await;
    run(&project, "windlass deploy").await.code(0);
    project.migration("2_bad", "INSERT INTO nowhere VALUES (1);");
    assert!(is_final(run(&project, "windlass deploy").await));
    project.migration("2_bad", "INSERT INTO users VALUES (1, 'ada');");
    database.sql("CREATE TABLE by_hand (n int)").await;
    let drifted = run(&project, "windlass deploy").await.code(10);
    assert!(is_final(drifted));
    assert!(!is_final(run(&project, "DATABASE_URL=sqlite:no/such.db windlass deploy").await));
}
