//! Private servers and the services as child processes, for  and for tests.
