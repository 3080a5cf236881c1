pub mod diagnosis { pub mod cause; }
pub mod profile { pub mod encoding; pub mod security; }
pub mod test_run { pub mod event; #[cfg(feature="ssr")] pub mod report; }
