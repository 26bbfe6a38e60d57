//! Message boundaries in the body of a gRPC call.

/// The prefix of a message: a flag, and its length in four bytes.
const PREFIX: usize = 5;

/// Tracks the message boundaries of a body.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The received part of the current prefix.
    prefix: [u8; PREFIX],
    prefix_length: usize,
    /// Remaining bytes of the current message.
    missing: u32,
}

impl Frames {
    /// Whether every message that has begun is complete.
    pub(super) fn at_boundary(&self) -> bool {
        self.prefix_length == 0 && self.missing == 0
    }

    /// Follows the next bytes; answers the length of the longest message that begins in them.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> u32 {
        let mut longest = 0;
        while !bytes.is_empty() {
            if self.missing > 0 {
                let taken = bytes.len().min(self.missing as usize);
                self.missing -= taken as u32;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            let (first, rest) = bytes.split_at(1);
            if let (Some(place), Some(byte)) =
                (self.prefix.get_mut(self.prefix_length), first.first())
            {
                *place = *byte;
            }
            self.prefix_length += 1;
            bytes = rest;
            if self.prefix_length == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.prefix_length = 0;
                self.missing = u32::from_be_bytes(length);
                longest = longest.max(self.missing);
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(lengths: &[u16]) -> Vec<u8> {
        let message = |length: &u16| {
            let mut bytes = vec![0];
            bytes.extend(u32::from(*length).to_be_bytes());
            bytes.resize(PREFIX + usize::from(*length), 7);
            bytes
        };
        lengths.iter().flat_map(message).collect()
    }

    proptest! {
        /// However the bytes are split, every message is seen once and the end is a boundary.
        #[test]
        fn messages_are_found_however_the_bytes_are_cut(
            lengths in prop::collection::vec(0_u16..300, 1..20),
            piece in 1_usize..400,
        ) {
            let bytes = encoded(&lengths);
            let mut frames = Frames::default();
            let mut longest = 0;
            let mut seen = 0;
            for piece in bytes.chunks(piece) {
                longest = longest.max(frames.follow(piece));
                seen += piece.len();
                prop_assert_eq!(frames.at_boundary(), lengths.iter().scan(0, |end, length| {
                    *end += PREFIX + usize::from(*length);
                    Some(*end)
                }).any(|end| end == seen));
            }
            prop_assert_eq!(longest, u32::from(lengths.iter().copied().max().unwrap_or(0)));
        }
    }
}
