//! `try` and contexts that suppress: what is raised in a body, or might be, and who takes it.

use super::run::{Raised, Run, Stop};
use super::state::{Delta, Object};
use crate::names::body::{Catches, Error, Handler, Step};

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn suppressed(&mut self, body: &'w [Step<'p>], catches: Catches) -> Result<(), Stop<'p>> {
        let (before, doubts) = (self.state.mark(), self.doubts.len());
        match self.block(body) {
            Err(Stop::Raise(raised)) if takes(catches, &raised) => {
                self.take(&raised);
                Ok(())
            }
            Ok(()) => {
                let caught = self.caught(doubts, &[catches]);
                if caught.is_some() || catches.missing {
                    // It may have been left half way.
                    let whole = self.state.take(before);
                    self.state.join(&whole, &Delta::new());
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
            later.into_iter().partition(|d| handlers.iter().any(|catches| takes(*catches, d)));
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
        let watches = usize::from(handlers.iter().any(|h| h.catches.name));
        self.watching += watches;
        let outcome = self.block(body);
        self.watching -= watches;
        let own_trouble = std::mem::replace(&mut self.risky, risky);
        self.risky |= own_trouble && handlers.is_empty();
        let all: Vec<Catches> = handlers.iter().map(|h| h.catches).collect();
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
                    && let Some(handler) = handlers.iter().find(|h| takes(h.catches, raised))
                {
                    ways.push((handler, caught.clone()));
                }
                if own_trouble {
                    ways.extend(handlers.iter().map(|h| (h, None)));
                }
                return self.maybe_handled(before, &ways, orelse);
            }
        };
        match handlers.iter().find(|h| takes(h.catches, &raised)) {
            Some(handler) => {
                self.take(&raised);
                self.handle(handler, Some(raised))
            }
            None => Err(Stop::Raise(raised)),
        }
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
            self.state.join(&whole, &Delta::new());
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

/// Whether a handler takes what is raised.
fn takes(catches: Catches, raised: &Raised) -> bool {
    match raised.class {
        Error::Import => catches.import,
        Error::Attribute => catches.attribute,
        Error::Name => catches.name,
        Error::Other => catches.import || catches.missing || catches.other,
    }
}
