//! Server side. The shop's quotes, and how the portal uses Facteur's API: it posts each one, and shows its state.

use std::collections::HashMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::accounts::Account;

/// A sample quote.
pub(super) struct Quote {
    pub number: &'static str,
    pub customer: &'static str,
    address: &'static str,
    /// In euros.
    pub amount: &'static str,
    /// Sent before the demonstration began.
    pub sent: bool,
}

macro_rules! quotes {
    ($($number:literal, $customer:literal, $address:literal, $amount:literal, $sent:literal;)*) => {
        [$(Quote { number: $number, customer: $customer, address: $address, amount: $amount, sent: $sent },)*]
    };
}

pub(super) const QUOTES: [Quote; 4] = quotes! {
    "D-2041", "Mairie de Saint-Aubin", "mairie@client.example", "412,00", false;
    "D-2040", "Café des Arts", "cafe@client.example", "96,50", false;
    "D-2039", "Famille Leroy", "leroy@client.example", "180,00", true;
    "D-2038", "Crèche Les Lutins", "lutins@client.example", "74,20", true;
};

/// Facteur's API, with the portal's key. A portal elsewhere would call it over the network.
#[derive(Clone)]
pub struct Api {
    pub facteur: Router,
    pub key: String,
}

impl Api {
    /// Posts a quote; the problem's code when it was refused.
    pub(super) async fn send(&self, account: &Account, quote: &Quote) -> Result<(), String> {
        let Quote { number, customer, address, amount, .. } = quote;
        let text = format!("Bonjour,\n\nVoici notre devis {number} pour {amount} €.\n\n{}\n", account.name);
        let message = json!({
            "account": account.slug,
            "to": [{ "address": address, "name": customer }],
            "subject": format!("Votre devis {number}"),
            "text": text,
            "attachments": [{
                "filename": format!("devis-{number}.txt"), "content_type": "text/plain; charset=utf-8",
                "content": base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &text),
            }],
            "reference": number,
            "language": "fr",
        });
        let request = Request::post("/api/v1/messages").header(header::CONTENT_TYPE, "application/json");
        let (status, answer) = self.call(request, Body::from(message.to_string())).await;
        if status == StatusCode::ACCEPTED {
            return Ok(());
        }
        Err(answer["code"].as_str().unwrap_or("unavailable").to_owned())
    }

    /// The state of each posted quote, by its number.
    pub(super) async fn states(&self, account: &Account) -> HashMap<String, String> {
        let request = Request::get(format!("/api/v1/messages?account={}&limit=200", account.slug));
        let (_, answer) = self.call(request, Body::empty()).await;
        let text = |message: &Value, key: &str| Some(message[key].as_str()?.to_owned());
        let messages = answer["messages"].as_array().into_iter().flatten();
        // The newest comes first; reversed, the newest one stays in the map.
        messages.rev().filter_map(|one| Some((text(one, "reference")?, text(one, "state")?))).collect()
    }

    async fn call(&self, request: http::request::Builder, body: Body) -> (StatusCode, Value) {
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.key)).body(body);
        let Ok(request) = request else { return (StatusCode::BAD_REQUEST, Value::Null) };
        let Ok(response) = self.facteur.clone().oneshot(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), 4 * 1024 * 1024).await.unwrap_or_default();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}
