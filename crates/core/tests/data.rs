//! What the guidelines for APIs ask of the data that programs meet, held by the compiler: it can be copied, compared and
//! shown, what names one of a few can be a key, and all of it crosses threads.

use std::fmt::Debug;
use std::hash::Hash;
use windlass_core::application as met;
use windlass_core::{apply, diagnosis, driver, history, plan, schema, source};

fn is_data<T: Clone + Debug + Eq + Send + Sync + 'static>() {}
fn is_one_of_a_few<T: Copy + Debug + Eq + Hash + Send + Sync + 'static>() {}
fn has_a_natural_beginning<T: Default>() {}

#[test]
fn data_can_be_copied_compared_and_shown() {
    is_data::<met::Attempt>();
    is_data::<met::Advice>();
    is_data::<met::Blocked>();
    is_data::<met::Drift>();
    is_data::<met::DriftVerdict>();
    is_data::<met::Finding>();
    is_data::<met::History>();
    is_data::<met::Holder>();
    is_data::<met::Pattern>();
    is_data::<met::Report>();
    is_data::<met::StatusLine>();
    is_data::<met::Verdict>();
    is_data::<apply::Applied>();
    is_data::<apply::Contention>();
    is_data::<apply::FailedStatement>();
    is_data::<diagnosis::Choice>();
    is_data::<diagnosis::Told>();
    is_data::<driver::DatabaseError>();
    is_data::<history::HistoryError>();
    is_data::<plan::Place>();
    is_data::<plan::Remark>();
    is_data::<schema::Difference>();
    is_data::<source::Notice>();
}

#[test]
fn what_names_one_of_a_few_can_be_a_key() {
    is_one_of_a_few::<met::Action>();
    is_one_of_a_few::<met::Check>();
    is_one_of_a_few::<met::DriftPolicy>();
    is_one_of_a_few::<met::Proof>();
    is_one_of_a_few::<met::Resolution>();
    is_one_of_a_few::<met::Severity>();
    is_one_of_a_few::<met::Standing>();
    is_one_of_a_few::<apply::Stands>();
    is_one_of_a_few::<diagnosis::Changes>();
    is_one_of_a_few::<diagnosis::Evidence>();
    is_one_of_a_few::<diagnosis::Fate>();
    is_one_of_a_few::<history::State>();
    is_one_of_a_few::<source::Layout>();
}

#[test]
fn what_may_be_empty_begins_so() {
    has_a_natural_beginning::<met::DriftPolicy>();
    has_a_natural_beginning::<met::History>();
    has_a_natural_beginning::<met::Outlook<'_>>();
    has_a_natural_beginning::<met::Report>();
    has_a_natural_beginning::<met::Stop>();
}

/// An event is all references: an observer keeps it for as long as it is called.
#[test]
fn an_event_can_be_handed_on() {
    let event = met::Event::UpToDate;
    let (one, other) = (event, event);
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
