//! `try` and contexts that suppress: what is raised in a body, or might be, and who takes it.

use super::run::{Raised, Run, Stop};
use super::state::{Delta, Object};
use crate::names::body::{Catches, Handler, Step, What};

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn suppressed(&mut self, body: &'w [Step<'p>], catches: Catches) -> Result<(), Stop<'p>> {
        let (before, doubts) = (self.state.mark(), self.doubts.len());
        self.watching.push(catches);
        let outcome = self.block(body);
        self.watching.pop();
        match outcome {
            Err(Stop::Raise(raised)) if catches.takes(raised.class) => {
                self.take(&raised);
                Ok(())
            }
            Ok(()) => {
                let caught = self.caught(doubts, &[catches]);
                if caught.is_some() || catches.missing {
                    // It may have been left half way.
                    let whole = self.state.take(before);
                    self.state.join(&whole, &Delta::default());
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Takes the failures of doubt that one of the handlers takes, and gives the first.
    fn caught(&mut self, since: usize, handlers: &[Catches]) -> Option<Raised> {
        let later = self.doubts.split_off(since);
        let (caught, kept): (Vec<_>, Vec<_>) =
            later.into_iter().partition(|d| handlers.iter().any(|catches| catches.takes(d.class)));
        self.doubts.extend(kept);
        caught.into_iter().next()
    }

    pub fn attempt(
        &mut self,
        body: &'w [Step<'p>],
        handlers: &'w [Handler<'p>],
        orelse: &'w [Step<'p>],
    ) -> Result<(), Stop<'p>> {
        let (before, doubts) = (self.state.mark(), self.doubts.len());
        let risky = std::mem::replace(&mut self.risky, false);
        let all: Vec<Catches> = handlers.iter().map(|h| h.catches).collect();
        self.watching.push(all.iter().fold(Catches::default(), |sum, catches| sum.or(*catches)));
        let outcome = self.block(body);
        self.watching.pop();
        let own_trouble = std::mem::replace(&mut self.risky, risky);
        self.risky |= own_trouble && handlers.is_empty();
        let raised = match outcome {
            Err(Stop::Raise(raised)) => raised,
            Err(stop) => {
                self.caught(doubts, &all);
                return Err(stop);
            }
            Ok(()) => {
                let caught = self.caught(doubts, &all);
                let mut ways: Vec<(&'w Handler<'p>, Option<Raised>)> = Vec::new();
                if let Some(raised) = &caught
                    && let Some(handler) = handlers.iter().find(|h| h.catches.takes(raised.class))
                {
                    ways.push((handler, caught.clone()));
                }
                if own_trouble {
                    for handler in handlers.iter().filter(|h| !matches!(h.types.what, What::Name(_))) {
                        self.perhaps_evaluated(&handler.types);
                    }
                    ways.extend(handlers.iter().map(|h| (h, None)));
                }
                return self.maybe_handled(before, &ways, orelse);
            }
        };
        for handler in handlers {
            // What it takes is evaluated now, and may be half-filled itself.
            if !matches!(handler.types.what, What::Name(_)) {
                self.evaluate(&handler.types)?;
            }
            if handler.catches.takes(raised.class) {
                self.take(&raised);
                return self.handle(handler, Some(raised));
            }
        }
        Err(Stop::Raise(raised))
    }

    fn handle(&mut self, handler: &'w Handler<'p>, raised: Option<Raised>) -> Result<(), Stop<'p>> {
        self.handling.push(raised);
        if let Some(name) = handler.name {
            self.bind(name, Object::Any);
        }
        let outcome = self.block(&handler.block);
        if let Some(name) = handler.name {
            self.state.set(self.space(), name, None);
        }
        self.handling.pop();
        outcome
    }

    /// The body of a `try` ran to its end, but might have been left for one of the handlers.
    fn maybe_handled(
        &mut self,
        before: usize,
        handlers: &[(&'w Handler<'p>, Option<Raised>)],
        orelse: &'w [Step<'p>],
    ) -> Result<(), Stop<'p>> {
        if handlers.is_empty() {
            return self.block(orelse);
        }
        let whole = self.state.take(before);
        let mut handled: Option<Delta<'p>> = None;
        for (handler, raised) in handlers {
            self.state.join(&whole, &Delta::default());
            match self.handle(handler, raised.clone()) {
                Ok(()) => handled = Some(self.joined(handled.take(), before)),
                Err(stop) => {
                    self.state.undo(before);
                    self.stops_aside(stop);
                }
            }
        }
        self.state.apply(&whole);
        let outcome = self.block(orelse);
        let Some(handled) = handled else { return outcome };
        let whole = self.state.take(before);
        match outcome {
            Ok(()) => self.state.join(&whole, &handled),
            Err(stop) => {
                self.state.apply(&handled);
                self.stops_aside(stop);
            }
        }
        Ok(())
    }
}
