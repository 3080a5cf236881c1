//! Server side. One field of a form: label, error, input, hint; and the summary of a form's errors.

use leptos::prelude::*;

use crate::{
    profile::{
        field::{Field, FieldError},
        warnings::Warning,
    },
    t,
};

/// The error of a field, between its label and its input: a phone's keyboard does not hide it there.
#[component]
pub fn FieldFault(field: Field, errors: Vec<FieldError>) -> impl IntoView {
    let text = errors.iter().find(|error| error.field == field).map(|error| t!(error.key()));
    view! { <p class="fault" id=format!("{}-fault", field.id())>{text}</p> }
}

/// Every invalid field of a form as a link to it, by its id and its label. Hidden if there is none; the assistant fills
/// the list as well. The focus goes to the first invalid field rather than to this list: typing continues there, and
/// screen readers read its error with it. The links lead to the others.
#[component]
pub fn Wrong(fields: Vec<(&'static str, String)>, #[prop(optional)] secret_again: bool) -> impl IntoView {
    let none = fields.is_empty();
    let links = fields.into_iter().map(|(id, label)| view! { <li><a href=format!("#{id}")>{label}</a></li> });
    view! {
        <div class="notice error" id="wrong" role="alert" hidden=none>
            <p>{t!("form-refused")}</p>
            <ul>{links.collect_view()}</ul>
            {(secret_again && !none).then(|| view! { <p>{t!("form-secret-again")}</p> })}
        </div>
    }
}

/// The places for the assistant's warnings, except those that the provider's guide shows.
#[component]
pub fn FieldWarnings(field: Field) -> impl IntoView {
    let here = Warning::ALL.into_iter().filter(|warning| warning.field() == field.id() && !warning.is_in_the_guide());
    here.map(|warning| view! { <WarningPlace warning /> }).collect_view()
}

/// The place for one of the assistant's warnings, with its text.
#[component]
pub fn WarningPlace(warning: Warning) -> impl IntoView {
    let code = warning.code();
    let words = t!(&format!("warn-{code}"), login = "{login}", host = "{host}", near = "{near}");
    view! { <p class="warn" role="status" id=format!("w-{code}") data-words=words></p> }
}

/// An input's value and errors.
#[derive(Debug, Clone, Default)]
pub struct InputState {
    pub value: String,
    pub errors: Vec<FieldError>,
}

impl InputState {
    /// Whether `field` has an error.
    pub fn is_wrong(&self, field: Field) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    /// Whether `field` is the first with an error: it gets the focus.
    pub fn is_first_wrong(&self, field: Field) -> bool {
        self.errors.iter().map(|error| error.field).min() == Some(field)
    }
}

/// The place for the assistant's suggestion or remark here, with a button.
#[component]
pub fn Remark(at: &'static str) -> impl IntoView {
    view! { <p class="assistant" role="status" id=format!("at-{at}")></p> }
}

/// A text input with its label and messages.
#[component]
pub fn TextField(
    field: Field,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    state: InputState,
    #[prop(optional)] optional: bool,
    /// `url`, `numeric` or `email`: selects a phone's keyboard.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// A pattern of the browser's own check, and what to say when it does not match.
    #[prop(optional, into)]
    pattern: Option<String>,
    #[prop(default = 320)] maxlength: u16,
) -> impl IntoView {
    let id = field.id();
    let described = if hint.is_some() { format!("{id}-hint {id}-fault") } else { format!("{id}-fault") };
    view! {
        <div class="field" class:narrow=field == Field::Port>
            <label for=id>{label} " " {optional.then(|| view! { <span class="optional">{t!("form-optional")}</span> })}</label>
            <FieldFault field errors=state.errors.clone() />
            <input
                type="text"
                id=id
                name=format!("draft[{id}]")
                value=state.value.clone()
                inputmode=inputmode
                pattern=pattern
                maxlength=maxlength
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                aria-describedby=described
                aria-invalid=state.is_wrong(field).then_some("true")
                autofocus=state.is_first_wrong(field)
            />
            {matches!(field, Field::Host | Field::Login).then(|| view! { <Remark at=id /> })}
            {hint.map(|text| view! { <p class="hint" id=format!("{id}-hint")>{text}</p> })}
            <FieldWarnings field />
        </div>
    }
}
