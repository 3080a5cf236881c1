//! Both. The password field: the eye, and the cleaning.
//!
//! Where the chosen preset says that spaces are cosmetic they go by themselves, and the field says how many; elsewhere
//! it says what it found and offers to remove it, because a space can be part of a password.

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
mod browser;

/// What stands under the field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remark {
    Nothing,
    Removed(u32),
    Found(u32),
}

/// The input and its eye. `texts`: show, hide, removed (one, many), found (one, many), remove; `{n}` is the count.
#[island]
pub fn SecretField(texts: Vec<String>, required: bool, invalid: bool, focus: bool) -> impl IntoView {
    let input = NodeRef::<leptos::html::Input>::new();
    let shown = RwSignal::new(false);
    let ready = RwSignal::new(false);
    let remark = RwSignal::new(Remark::Nothing);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| ready.set(true));

    let text = StoredValue::new(texts);
    let say = move |index: usize| text.with_value(|texts| texts.get(index).cloned().unwrap_or_default());
    let count = move |one: usize, many: usize, n: u32| {
        say(if n == 1 { one } else { many }).replace("{n}", &n.to_string())
    };
    let look = move |force: bool| {
        // What was said stays until the field changes: leaving it comes before pressing the eye.
        #[cfg(feature = "hydrate")]
        match browser::look(input, force) {
            Remark::Nothing => {}
            found => remark.set(found),
        }
        let _ = force;
    };
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
        if shown.get_untracked() {
            look(false);
        }
    };
    view! {
        <span class="secret">
            <input
                node_ref=input
                id="secret"
                name="secret"
                type=move || if shown.get() { "text" } else { "password" }
                required=required
                maxlength="1024"
                autocomplete="new-password"
                autocapitalize="none"
                spellcheck="false"
                data-1p-ignore=""
                data-lpignore="true"
                aria-describedby="secret-remark secret-hint secret-fault"
                aria-invalid=invalid.then_some("true")
                autofocus=focus
                on:input=move |_| remark.set(Remark::Nothing)
                on:change=move |_| look(false)
            />
            <button type="button" class="eye" hidden=move || !ready.get() aria-pressed=move || shown.get().to_string() aria-controls="secret" on:click=toggle>
                {move || say(usize::from(shown.get()))}
            </button>
        </span>
        <span class="remark" id="secret-remark" role="status">
            {move || match remark.get() {
                Remark::Nothing => String::new(),
                Remark::Removed(n) => count(2, 3, n),
                Remark::Found(n) => count(4, 5, n),
            }}
            <button type="button" hidden=move || !matches!(remark.get(), Remark::Found(_)) on:click=move |_| look(true)>{move || say(6)}</button>
        </span>
    }
}
