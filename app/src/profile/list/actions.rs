//! Server side. The actions on the selected profile: its buttons, its live test, the code of its last one.

use leptos::prelude::*;

use super::FORM;
use crate::{
    base_path::at,
    t,
    test_run::{
        panel::Panel,
        receipt_card::{Waiting, WaitingCard},
    },
    ui::layout::query,
};

/// Placed under the row of the selected profile. `waiting`: its last test, if the code was not entered yet.
#[component]
pub fn Actions(email: String, waiting: Option<Waiting>) -> impl IntoView {
    let saved = query("notice").starts_with("saved");
    let to_me = if email.is_empty() { t!("test-recipient-sender") } else { email };
    view! {
        <div class="toolbar" role="group" aria-label=t!("list-actions")>
            // After saving, the test is the next step.
            <button form=FORM class="primary" data-test="" autofocus=saved>{t!("action-test")}</button>
            <p class="recipient">
                <label for="to">{t!("test-recipient")}</label>
                <select id="to" name="to" form=FORM>
                    <option value="me">{to_me}</option>
                    <option value="sender" selected=query("to") == "sender">{t!("test-recipient-sender")}</option>
                </select>
            </p>
            <button form=FORM formaction=at("/profiles/edit") formmethod="get">{t!("action-edit")}</button>
            // The style sheet hides the buttons that do not apply to the selected profile.
            <button form=FORM formaction=at("/api/profiles/use") class="to-use">{t!("action-use")}</button>
            <button form=FORM formaction=at("/profiles/report") formmethod="get" class="to-code">{t!("action-code")}</button>
            <details class="more">
                <summary class="button" aria-label=t!("list-more")>"⋯"</summary>
                <div>
                    <button form=FORM formaction=at("/profiles/sending") formmethod="get">{t!("action-sending")}</button>
                    <button form=FORM formaction=at("/profiles/report") formmethod="get" class="to-report">{t!("action-report")}</button>
                    <button form=FORM formaction=at("/api/profiles/duplicate")>{t!("action-duplicate")}</button>
                    <button form=FORM formaction=at("/profiles/delete") formmethod="get" class="danger">{t!("action-delete")}</button>
                </div>
            </details>
        </div>
        <Panel />
        <div id="waiting">{waiting.map(|waiting| view! { <WaitingCard waiting /> })}</div>
    }
}
