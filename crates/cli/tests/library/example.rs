use windlass_core::apply::{DeployOptions, Silent, Stop, deploy};
use windlass_core::{driver::Run, source::Migrations};
use windlass_sqlite::{Options, Sqlite};

async fn migrate() -> Result<(), Box<dyn std::error::Error>> {
    let migrations = Migrations::from_dir("migrations")?;
    let mut database = Sqlite::connect(&Options::file("app.db").create_database(true))?;
    let options = DeployOptions::new(Run::new("my app on host 7", "my app 1.2.0"));
    let report = deploy(&mut database, &migrations, &options, &mut Silent, &Stop::new()).await?;
    println!("applied {} migrations", report.applied.len());
    Ok(())
}
