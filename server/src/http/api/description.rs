//! Server side. The description of the API (`OpenAPI` 3.1), made from the types and handlers, and a page to read it.

use std::sync::LazyLock;

use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    problem::Code,
    v1::{
        accounts,
        messages::{create, get, list, resend},
    },
};
use crate::http::{Site, pages::assets};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Facteur",
        version = "1",
        description = "A portal's server posts messages; Facteur sends them through the account's mail server and reports the outcome.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(create::create, get::get, list::list, resend::resend, accounts::get),
    modifiers(&Key),
    tags(
        (name = "messages", description = "Messages"),
        (name = "accounts", description = "How an account sends, and whether it can"),
    ),
)]
struct Description;

/// How a portal authenticates.
struct Key;

impl Modify for Key {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A portal's API key, as printed by `facteur keys api`"))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(key));
    }
}

/// The description as JSON.
pub static JSON: LazyLock<String> =
    LazyLock::new(|| Description::openapi().to_pretty_json().unwrap_or_default() + "\n");

pub async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], JSON.as_str()).into_response()
}

/// `GET /api`: the same as a page.
pub async fn page(State(site): State<Site>) -> Response {
    let described: Value = serde_json::from_str(&JSON).unwrap_or_default();
    let style = format!("{}/{}/facteur.css", site.base_path.0, assets::package_folder());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Facteur API" }
                link rel="stylesheet" href=(style);
            }
            body class="reference" {
                main id="content" {
                    h1 { "Facteur API" }
                    p class="lead" { (described["info"]["description"].as_str().unwrap_or_default()) }
                    p {
                        "For programs: " a href={ (site.base_path.0) "/api/openapi.json" } { "openapi.json" } " (OpenAPI 3.1). "
                        "Every request needs " code { "Authorization: Bearer fct_…" } ", with a key of the portal."
                    }
                    (operations(&described))
                    h2 id="problems" { "Problems" }
                    p { "Errors are problem details (RFC 9457). Their " code { "code" } " never changes its meaning; " code { "errors" } " lists the invalid fields by JSON pointer." }
                    (problems())
                    h2 id="schemas" { "Types" }
                    (schemas(&described))
                }
            }
        }
    };
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn operations(described: &Value) -> Markup {
    let paths = described["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (method.to_uppercase(), path, operation))
    });
    html! {
        @for (method, path, operation) in all {
            section class="card" {
                h2 { (text(operation, "summary")) }
                p { code { (method) " " (path) } }
                @for paragraph in text(operation, "description").split("\n\n").filter(|text| !text.is_empty()) {
                    p { (code_marks(paragraph)) }
                }
                @let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                @if !parameters.is_empty() {
                    h3 { "Parameters" }
                    dl {
                        @for one in &parameters {
                            dt { code { (text(one, "name")) } " (" (text(one, "in")) ")" }
                            dd { (code_marks(text(one, "description"))) }
                        }
                    }
                }
                @if let Some(body) = operation["requestBody"]["content"].as_object().and_then(|all| all.values().next()) {
                    p { "Body: " (type_of(&body["schema"])) }
                }
                h3 { "Answers" }
                dl {
                    @for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
                        dt { (status) }
                        dd {
                            (code_marks(text(answer, "description")))
                            @if let Some(body) = answer["content"].as_object().and_then(|all| all.values().next()) {
                                " · " (type_of(&body["schema"]))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn problems() -> Markup {
    html! {
        dl {
            @for code in Code::ALL {
                dt id=(code.as_str()) { code { (code.as_str()) } " · " (code.status().as_u16()) }
                dd { (code.title()) "." }
            }
        }
    }
}

fn schemas(described: &Value) -> Markup {
    html! {
        @for (name, schema) in described["components"]["schemas"].as_object().into_iter().flatten() {
            section class="card" {
                h3 id={ "type-" (name) } { (name) }
                p { (code_marks(text(schema, "description"))) }
                @if let Some(values) = schema["enum"].as_array() {
                    p { @for value in values { code { (value.as_str().unwrap_or_default()) } " " } }
                }
                @for variant in schema["oneOf"].as_array().into_iter().flatten() {
                    @if let Some(values) = variant["enum"].as_array() {
                        p {
                            @for value in values { code { (value.as_str().unwrap_or_default()) } }
                            @let about = text(variant, "description");
                            @if !about.is_empty() { ": " (code_marks(about)) }
                        }
                    } @else {
                        p { (text(variant, "title")) ": " (type_of(variant)) }
                        (properties(variant))
                    }
                }
                (properties(schema))
            }
        }
    }
}

fn properties(schema: &Value) -> Markup {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let all = schema["properties"].as_object();
    html! {
        @if let Some(all) = all {
            dl {
                @for (name, property) in all {
                    dt {
                        code { (name) } " · " (type_of(property))
                        @if required.contains(&name.as_str()) { " · required" }
                    }
                    dd { (code_marks(text(property, "description"))) }
                }
            }
        }
    }
}

/// The type of a schema, with a link to its description.
fn type_of(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    let variants = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema[key].as_array());
    if let Some(variants) = variants {
        let shown: Vec<&Value> = variants.iter().filter(|variant| variant["type"] != "null").collect();
        return html! { @for (at, variant) in shown.iter().enumerate() { @if at > 0 { " or " } (type_of(variant)) } };
    }
    let named = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    html! {
        @if named == "array" { "list of " (type_of(&schema["items"])) } @else {
            (named) @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
        }
    }
}

/// Text in backticks as code.
fn code_marks(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
