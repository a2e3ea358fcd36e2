import { h, setText } from "../../shared/dom";
export type SignIn = (username: string, password: string) => Promise<string | null>;

/** Sign-in in place; the form and the image stay behind it. */
export class SignInDialog {
  readonly element: HTMLDialogElement;
  private readonly title = h("h2", { id: "sign-in-title" }, "Sign in again");
  private readonly text = h("p");
  private readonly error = h("p", { class: "field__error", role: "alert" });
  private readonly username = h("input", {
    class: "input",
    autocomplete: "username",
    required: true,
  });
  private readonly password = h("input", {
    class: "input",
    type: "password",
    autocomplete: "current-password",
    required: true,
  });

  constructor(signIn: SignIn, username: string) {
    this.username.value = username;
    const form = h(
      "form",
      { class: "sign-in" },
      h("label", { class: "field" }, h("span", {}, "User name"), this.username),
      h("label", { class: "field" }, h("span", {}, "Password"), this.password),
      this.error,
      h("div", {}, h("button", { class: "button button--primary" }, "Sign in")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit(signIn);
    });
    this.element = h(
      "dialog",
      { class: "dialog", closedby: "none", "aria-labelledby": "sign-in-title" },
      this.title,
      this.text,
      form,
    );
    // Nothing behind the dialog works without a sign-in, so Escape does not close it.
    this.element.addEventListener("cancel", (event) => event.preventDefault());
  }

  open(text: string): void {
    setText(this.text, text);
    if (this.element.open) return;
    setText(this.error, "");
    this.element.showModal();
    (this.username.value === "" ? this.username : this.password).focus();
  }

  private async submit(signIn: SignIn): Promise<void> {
    const problem = await signIn(this.username.value, this.password.value);
    this.password.value = "";
    setText(this.error, problem ?? "");
    if (problem === null) this.element.close();
    else this.password.focus();
  }
}
