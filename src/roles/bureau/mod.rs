//! The personalisation bureau: the test key set and the data of a new card.
//! What it makes reaches the other roles as data.
