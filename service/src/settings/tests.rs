use bucketry_contract::access_table;

use super::*;
use crate::domain::{CorsRule, ObjectOwnership, Tag};
use crate::request::evaluated;

fn all_set() -> BucketSettings {
    let tags = ["b", "a"].map(|key| Tag {
        key: key.to_owned(),
        value: String::new(),
    });
    let rule = CorsRule {
        allowed_origins: vec!["*".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        max_age_seconds: Some(5),
        ..CorsRule::default()
    };
    let edits = [
        SettingEdit::Tagging(Some(tags.to_vec())),
        SettingEdit::Cors(Some(vec![rule])),
        SettingEdit::OwnershipControls(Some(ObjectOwnership::BucketOwnerEnforced)),
    ];
    let mut settings = BucketSettings::default();
    for edit in edits {
        settings.apply(edit, Generation(1));
    }
    for setting in BucketSetting::ALL {
        assert!(settings.stored(*setting).is_some(), "{setting:?}");
    }
    settings
}

fn shown_to(admitted: &[AccessClass]) -> v1::Bucket {
    let bucket = v1::Bucket::default();
    show(bucket, &all_set(), BucketSetting::ALL, admitted)
}

#[test]
fn what_is_shown_is_what_was_sent() {
    let settings = all_set();
    let shown = shown_to(&[AccessClass::BucketAdmin]);
    let mut parsed = BucketSettings::default();
    for setting in BucketSetting::ALL {
        parsed.apply(edit(*setting, &shown).unwrap(), Generation(1));
        let removal = edit(*setting, &v1::Bucket::default()).unwrap();
        let mut removed = settings.clone();
        removed.apply(removal, Generation(2));
        assert_eq!(removed.stored(*setting), None);
    }
    // Tags are sorted by key.
    let tags = parsed.tagging().unwrap().iter().map(|tag| tag.key.as_str());
    assert_eq!(tags.collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(parsed.cors(), settings.cors());
    assert_eq!(parsed.ownership_controls(), settings.ownership_controls());
}

#[test]
fn only_wanted_settings_are_shown() {
    let wanted = [BucketSetting::Cors];
    let admitted = [AccessClass::BucketAdmin];
    let shown = show(v1::Bucket::default(), &all_set(), &wanted, &admitted);
    assert!(shown.cors.is_some());
    assert_eq!((shown.tagging, shown.ownership_controls), (None, None));
}

/// Without a list of readers a setting is for administrators.
#[test]
fn a_setting_without_readers_is_hidden_from_tokens() {
    let hidden = Definition {
        readers: &[],
        ..tagging::DEFINITION
    };
    for class in AccessClass::ALL {
        let expected = class == AccessClass::BucketAdmin;
        assert_eq!(may_see(&hidden, &[class]), expected, "{class:?}");
    }
    assert!(!may_see(&hidden, &[]));
    for class in [AccessClass::CreateBucket, AccessClass::Read] {
        assert_eq!(shown_to(&[class]), v1::Bucket::default(), "{class:?}");
    }
}

/// Exactly the callers that the contract admits to reading a setting by mask can see it.
#[test]
fn readers_are_those_that_the_contract_names() {
    for setting in BucketSetting::ALL {
        let read = access_table::of_read("GetBucket", setting.name());
        let needed = read.map_or(AccessClass::BucketAdmin, |access| {
            evaluated(access.read.class)
        });
        for class in AccessClass::ALL {
            let expected = class == needed || class == AccessClass::BucketAdmin;
            let may = may_see(definition(*setting), &[class]);
            assert_eq!(may, expected, "{setting:?} {class:?}");
        }
    }
}

#[test]
fn settings_are_the_paths_of_the_update_mask() {
    let paths = access_table::UPDATE_ACCESS
        .iter()
        .filter(|access| access.rpc == "UpdateBucket")
        .map(|access| access.path);
    let mut paths: Vec<&str> = paths.collect();
    let mut names: Vec<&str> = BucketSetting::ALL.iter().map(|one| one.name()).collect();
    paths.sort_unstable();
    names.sort_unstable();
    assert_eq!(paths, names);
}

#[test]
fn the_audit_records_what_was_and_what_is_set() {
    let edits = [
        SettingEdit::Tagging(None),
        SettingEdit::OwnershipControls(Some(ObjectOwnership::BucketOwnerEnforced)),
    ];
    let mut before = all_set();
    before.apply(SettingEdit::OwnershipControls(None), Generation(2));
    assert_eq!(
        record(&before, &edits),
        json!({
            "before": {
                "tagging": [{ "key": "b", "value": "" }, { "key": "a", "value": "" }],
                "ownership_controls": null,
            },
            "after": { "tagging": null, "ownership_controls": "BucketOwnerEnforced" },
        })
    );
}
