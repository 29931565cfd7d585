//! The stage: the only place where sides meet. It opens addresses, joins a
//! terminal, a card and a host, and checks the money invariant.
