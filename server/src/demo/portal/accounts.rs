//! Server side. The demo's two accounts, and the people signed in to them.

/// A customer of the portal.
pub(super) struct Account {
    /// Its name in the portal's URLs.
    pub slug: &'static str,
    pub name: &'static str,
    pub users: [Person; 2],
}

/// A person of an account.
pub(super) struct Person {
    pub id: &'static str,
    pub name: &'static str,
    pub email: &'static str,
}

pub(super) const ACCOUNTS: [Account; 2] = [
    Account {
        slug: "boulangerie-martin",
        name: "Boulangerie Martin",
        users: [
            Person { id: "claire", name: "Claire Martin", email: "claire@boulangerie-martin.example" },
            Person { id: "karim", name: "Karim Haddad", email: "karim@boulangerie-martin.example" },
        ],
    },
    Account {
        slug: "velo-dubois",
        name: "Atelier Vélo Dubois",
        users: [
            Person { id: "hugo", name: "Hugo Dubois", email: "hugo@velo-dubois.example" },
            Person { id: "lea", name: "Léa Petit", email: "lea@velo-dubois.example" },
        ],
    },
];

impl Account {
    /// The person who is signed in.
    pub(super) fn person(&self) -> &Person {
        &self.users[0]
    }
}

pub(super) fn find(slug: &str) -> Option<&'static Account> {
    ACCOUNTS.iter().find(|account| account.slug == slug)
}
