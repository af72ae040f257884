import { h, render } from "preact";
import { Board } from "./app.js";

const root = document.getElementById("app")!;
root.replaceChildren();
render(h(Board, {}), root);
