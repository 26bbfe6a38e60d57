use super::{Dialect, Statement};

/// The statements have no arguments, so that they can be sent together with the beginning of their transaction.
impl Dialect {
    /// Takes locks that end with the transaction, in this order: numbers, and whether nobody else may have it (1) or only
    /// those who change something are kept out (0). The queue is fair. Row locks are not: one commit after another could
    /// join a shared lock and keep a revocation waiting indefinitely. What the locks guard must be read by later statements:
    /// this one's snapshot is older than the wait.
    pub(crate) fn take_locks(self, locks: &[[i64; 2]]) -> Option<Statement> {
        match self {
            Self::Sqlite => None,
            Self::Postgres if locks.is_empty() => None,
            Self::Postgres => {
                let taken = select_locks(locks);
                Some(Statement::built(format!(
                    "SELECT COUNT(locked) FROM ({taken}) taken"
                )))
            }
        }
    }

    /// Takes locks, as [`Dialect::take_locks`], and then draws as many numbers of changes, in the same round trip: a sequence
    /// belongs to no snapshot. None without locks.
    pub(crate) fn take_locks_and_numbers(
        self,
        locks: &[[i64; 2]],
        count: usize,
    ) -> Option<Statement> {
        match self {
            Self::Sqlite => None,
            // What is counted is computed before the first number.
            Self::Postgres => Some(Statement::built(format!(
                "SELECT nextval('change_numbers') FROM (SELECT COUNT(locked) AS locks FROM ({}) taken) held
                 CROSS JOIN generate_series(1, {count}) WHERE held.locks > 0",
                select_locks(locks)
            ))),
        }
    }
}

fn select_locks(locks: &[[i64; 2]]) -> String {
    let numbers = list(locks.iter().map(|[number, _]| *number));
    let modes = list(locks.iter().map(|[_, is_exclusive]| *is_exclusive));
    format!(
        "SELECT CASE k.is_exclusive WHEN 1 THEN pg_advisory_xact_lock(k.number)::text
         ELSE pg_advisory_xact_lock_shared(k.number)::text END AS locked
         FROM UNNEST('{{{numbers}}}'::bigint[], '{{{modes}}}'::bigint[]) AS k(number, is_exclusive)"
    )
}

fn list(numbers: impl Iterator<Item = i64>) -> String {
    let mut list = String::new();
    for number in numbers {
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&number.to_string());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_listed_in_their_order() {
        let sql = select_locks(&[[9, 0], [-4, 1]]);
        assert!(
            sql.contains("UNNEST('{9,-4}'::bigint[], '{0,1}'::bigint[])"),
            "{sql}"
        );
        assert!(Dialect::Postgres.take_locks(&[]).is_none());
    }
}
