//! What every engine must do. The cases know no engine; each runs on SQLite and on Postgres.

mod access_keys;
mod access_rows;
mod accounts;
mod audit;
mod blobs;
mod buckets;
mod change_log;
mod commit_statements;
mod group_commit;
mod listing;
pub(crate) mod make;
mod objects;
mod postgres_only;
mod races;
mod search;
mod settings;
mod sqlite_only;
mod statistics;
mod uploads;
mod usage_and_audit;
mod versions;

use crate::testing::{postgres, sqlite};

/// Makes of each case a test per engine.
macro_rules! cases {
    ($($file:ident :: $case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = super::sqlite().await;
                super::$file::$case(&fixture).await;
                fixture.finish().await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = super::postgres().await;
                super::$file::$case(&fixture).await;
                fixture.finish().await;
            })*
        }
    };
}

cases! {
    accounts::are_made_once,
    accounts::suspended_ones_own_nothing_new,
    access_keys::are_found_after_their_making,
    access_keys::are_edited_by_version,
    access_keys::move_their_epoch_when_it_matters,
    access_keys::stay_revoked,
    access_keys::are_purged_when_unusable,
    access_keys::are_listed_in_pages,
    access_keys::are_resealed_unnoticed,
    access_keys::guard_every_write,
    access_keys::guard_what_administrators_do,
    access_keys::of_buckets_that_are_gone_are_listed,
    access_keys::of_administrators_are_kept_to_the_last,
    access_rows::come_with_the_object,
    access_rows::hold_every_kind_of_data,
    access_rows::show_each_edit_of_the_key,
    access_rows::show_a_new_seal,
    access_rows::show_that_the_bucket_is_another,
    access_rows::advance_the_policy_epoch_with_access,
    access_rows::guard_commits_by_the_policy_epoch,
    access_rows::correct_what_is_remembered,
    access_rows::are_never_older_than_the_object,
    audit::is_read_newest_first,
    audit::follows_time_and_not_ids,
    audit::only_grows,
    audit::long_details_are_read_up_to_a_bound,
    buckets::have_one_owner_per_name,
    buckets::are_another_after_deletion,
    buckets::are_deleted_only_empty,
    buckets::keep_their_settings,
    buckets::are_listed_by_name,
    buckets::end_their_uploads,
    settings::are_edited_one_by_one,
    settings::are_seen_by_every_node_at_once,
    settings::edited_at_the_same_time_are_all_kept,
    settings::go_with_their_bucket,
    settings::race_with_the_deletion_of_their_bucket,
    settings::leave_the_bucket_as_it_is,
    objects::come_back_as_they_were,
    objects::are_replaced_and_deleted,
    objects::obey_preconditions,
    objects::get_tags_without_a_new_generation,
    objects::take_any_key,
    group_commit::keeps_neighbours_apart,
    group_commit::sees_earlier_changes_of_the_same_batch,
    group_commit::writes_audit_with_the_change,
    group_commit::survives_values_that_no_database_takes,
    group_commit::drains_before_closing,
    group_commit::is_not_disturbed_by_an_aborted_transaction,
    uploads::become_objects,
    uploads::are_limited_by_bucket,
    uploads::answer_repeated_completions_alike,
    uploads::refuse_changed_parts,
    uploads::replace_parts,
    uploads::end_without_an_object,
    uploads::are_listed_by_key_and_start,
    uploads::share_blobs_between_parts,
    blobs::need_a_reservation,
    blobs::become_garbage_with_their_last_reference,
    blobs::are_kept_while_somebody_reads,
    blobs::of_abandoned_reservations_are_found,
    blobs::are_shared_only_while_they_are_there,
    blobs::are_told_to_whoever_checks,
    blobs::of_other_nodes_are_free_at_once,
    blobs::of_adopted_reservations_are_committed,
    blobs::that_are_condemned_stay_lost,
    blobs::with_a_new_mark_are_not_condemned,
    blobs::in_doubt_become_garbage_without_their_reservation,
    blobs::with_a_reservation_need_no_mark,
    change_log::holds_each_change_of_an_object,
    change_log::is_read_in_pages,
    change_log::says_what_it_no_longer_holds,
    change_log::keeps_the_order_of_each_key,
    statistics::are_recounted_and_corrected,
    statistics::of_deleted_buckets_are_removed,
    listing::agrees_with_a_model,
    listing::pages_add_up,
    listing::show_attributes_in_the_full_view_only,
    search::agrees_with_a_naive_one,
    search::takes_any_text_as_it_is,
    search::stays_in_its_bucket_and_prefix,
    search::goes_on_at_its_bound_in_key_order,
    search::sorts_what_it_looked_at,
    search::ends_with_its_time,
    search::goes_on_where_keys_are_gone,
    races::of_absent_keys_have_one_winner,
    races::of_generations_lose_no_update,
    races::of_bucket_names_have_one_winner,
    races::with_revocation_are_ordered,
    races::of_administrators_leave_one,
    races::of_completions_and_aborts_have_one_winner,
    races::of_copies_and_deletions_lose_no_blob,
    races::of_a_bucket_and_its_first_object_have_one_winner,
    races::of_many_keys_and_one_keep_every_version_apart,
    races::of_ids_have_no_collisions,
    usage_and_audit::sum_up,
    usage_and_audit::keeps_the_latest_denials_of_each_cause,
    usage_and_audit::go_with_their_key,
    usage_and_audit::settings_are_claimed_once,
    usage_and_audit::everything_survives_a_restart,
    versions::keep_content_and_attributes,
    versions::are_found_by_id_in_either_table,
    versions::with_the_same_id_are_replaced,
    versions::become_current_again,
    versions::agree_with_a_model_when_listed,
    versions::are_listed_after_a_marker_that_is_gone,
    versions::keep_their_blobs,
    versions::keep_their_bucket,
    versions::are_read_in_the_order_of_an_index,
}
