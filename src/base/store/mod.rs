//! The door to SQL: the trait `Db`, its engines, migrations, sealed columns.
//! No table of anyone may enter: who owns rows owns their schema.
