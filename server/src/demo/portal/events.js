// The portal's own script: writes down what <smtp-configurator> says.
const place = document.getElementById("events");
place.parentElement.hidden = false;
const names = ["ready", "profile-saved", "profile-deleted", "test-succeeded", "test-failed", "mode-changed", "session-expired", "error"];
for (const name of names) {
  document.querySelector("smtp-configurator").addEventListener(name, ({ detail }) => {
    const line = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = [name, ...Object.values(detail)].join(" ");
    line.append(code);
    place.append(line);
  });
}
