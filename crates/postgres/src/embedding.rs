//! Migrations as a part of the program.

#[doc(hidden)]
pub mod parts {
    pub use windlass_core::embedding::*;
    pub use windlass_macros::embed;
}

/// A folder of migrations as constant data of the program: no file is needed where it runs.
///
/// The folder is told relative to the crate's manifest; `migrations!()` stands for `migrations!("migrations")`.
/// It is read, checked, split and its checksums are made when the program is compiled. What is wrong with it is an
/// error of the compiler's that names file, line and column.
///
/// ```no_run
/// use windlass_postgres::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
/// ```
///
/// A folder that is not there does not compile:
///
/// ```compile_fail
/// use windlass_postgres::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_postgres::migrations!("no/such/folder");
/// ```
///
/// Two migrations of one version run in the order of their names, since two branches may have taken the same number; with
/// `migrations!("migrations", strict_order)` they are an error of the compiler's.
///
/// A changed file is compiled anew by itself. Of a file that was *added* a compiler that is stable cannot know, unless a
/// build script of one line says which folder to watch:
///
/// ```
/// // The whole of `main` in build.rs:
/// println!("cargo:rerun-if-changed=migrations");
/// ```
///
/// A program that was compiled with debug assertions warns, through `tracing`, when the folder holds migrations that
/// it was compiled without.
#[macro_export]
macro_rules! migrations {
    ($($folder:tt)*) => {{
        use $crate::embedding::parts as __windlass_embedding;
        $crate::embedding::parts::embed!(postgres $($folder)*)
    }};
}
