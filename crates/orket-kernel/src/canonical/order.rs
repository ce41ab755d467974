//! Remembers in which order the members of objects are to be written.

use std::ops::Range;

/// A piece of the text, and the first noted object that may lie in it.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    noted: usize,
}

/// An object that is out of order, or has one inside that is.
struct Noted {
    /// Where the members begin.
    start: usize,
    /// Where the last one ends.
    end: usize,
    /// The members in their order; none if they may stay as they are.
    spans: Range<usize>,
    /// How many objects were noted up to its end: those inside it come before that.
    next: usize,
}

/// The objects of a text whose members must change places, in the order in which they begin.
///
/// It takes memory only for such objects. Nothing is moved until the text is written, and then each byte once, however
/// many objects lie around it.
#[derive(Default)]
pub(super) struct Order {
    objects: Vec<Noted>,
    spans: Vec<Span>,
}

impl Order {
    /// Tells whether the text may stay as it is.
    pub(super) fn is_kept(&self) -> bool {
        self.objects.is_empty()
    }

    /// Counts the objects noted so far.
    pub(super) fn noted(&self) -> usize {
        self.objects.len()
    }

    /// Notes an object whose members begin at `start`; it must be closed by the index that this returns.
    pub(super) fn open(&mut self, start: usize) -> usize {
        self.objects.push(Noted {
            start,
            end: start,
            spans: 0..0,
            next: 0,
        });
        self.objects.len() - 1
    }

    /// Closes an object whose members may stay as they are.
    pub(super) fn close(&mut self, index: usize) {
        if index + 1 == self.objects.len() {
            self.objects.pop();
        }
    }

    /// Closes an object whose members are given in their new order and end at `end`.
    pub(super) fn close_sorted(
        &mut self,
        index: usize,
        end: usize,
        members: impl Iterator<Item = (Range<usize>, usize)>,
    ) {
        let first = self.spans.len();
        self.spans.extend(members.map(|(place, noted)| Span {
            start: place.start,
            end: place.end,
            noted,
        }));
        let (spans, next) = (first..self.spans.len(), self.objects.len());
        if let Some(object) = self.objects.get_mut(index) {
            *object = Noted {
                start: object.start,
                end,
                spans,
                next,
            };
        }
    }

    /// Hands out `text` in pieces, each in its place.
    pub(super) fn write(&self, text: &[u8], mut write: impl FnMut(&[u8])) {
        let mut part = Span {
            start: 0,
            end: text.len(),
            noted: 0,
        };
        // Of each object that is being written, the members yet to come and what follows it.
        let mut open: Vec<(&[Span], Span)> = Vec::new();
        loop {
            match self.objects.get(part.noted) {
                Some(object) if object.start < part.end => {
                    match self.spans.get(object.spans.clone()) {
                        Some([first, rest @ ..]) => {
                            write(&text[part.start..object.start]);
                            let follows = Span {
                                start: object.end,
                                end: part.end,
                                noted: object.next,
                            };
                            open.push((rest, follows));
                            part = *first;
                        }
                        _ => part.noted += 1,
                    }
                }
                _ => {
                    write(&text[part.start..part.end]);
                    match open.pop() {
                        Some(([next, rest @ ..], follows)) => {
                            write(b",");
                            open.push((rest, follows));
                            part = *next;
                        }
                        Some(([], follows)) => part = follows,
                        None => return,
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn an_object_inside_one_that_moves_is_put_in_order_as_well() {
        let text = br#"[{"b":{"d":1,"c":2},"a":3},{"e":4},{"g":5,"f":6}]"#;
        let place = |part: &str| {
            let start = std::str::from_utf8(text).unwrap().find(part).unwrap();
            start..start + part.len()
        };
        let mut order = Order::default();
        let outer = order.open(place(r#""b":"#).start);
        let inner = order.open(place(r#""d":1"#).start);
        let members = [(place(r#""c":2"#), 2), (place(r#""d":1"#), 2)];
        order.close_sorted(inner, place(r#""c":2"#).end, members.into_iter());
        let members = [(place(r#""a":3"#), 2), (place(r#""b":{"d":1,"c":2}"#), 1)];
        order.close_sorted(outer, place(r#""a":3"#).end, members.into_iter());
        let kept = order.open(place(r#""e":4"#).start);
        order.close(kept);
        let last = order.open(place(r#""g":5"#).start);
        let members = [(place(r#""f":6"#), 3), (place(r#""g":5"#), 3)];
        order.close_sorted(last, place(r#""f":6"#).end, members.into_iter());

        let mut written = Vec::new();
        order.write(text, |piece| written.extend_from_slice(piece));
        let expected = br#"[{"a":3,"b":{"c":2,"d":1}},{"e":4},{"f":6,"g":5}]"#;
        assert_eq!(written, expected);
    }
}
