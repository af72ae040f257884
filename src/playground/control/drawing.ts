import { cos, sin } from "../../numeric/index.js";
import type { Frame } from "./scenes.js";
import type { EnvironmentName } from "./settings.js";

type Context = CanvasRenderingContext2D;

/** Colours of the page as they are now. */
export interface Ink {
  readonly line: string;
  readonly text: string;
  readonly accent: string;
  readonly second: string;
}

export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const of = (name: string) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    element.parentElement!.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  return { line: of("line"), text: style.color, accent: of("accent"), second: of("series-2") };
}

function stroke(context: Context, colour: string, width: number, path: () => void): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  path();
  context.stroke();
}

function dot(context: Context, colour: string, x: number, y: number, radius: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** A cart on 4.8 m of rail, and its pole of 1 m. */
function cartPole(context: Context, { variables, action }: Frame, ink: Ink, w: number, h: number): void {
  const [x = 0, , theta = 0] = variables;
  const scale = w / 4.8;
  const [cx, cy] = [w / 2 + x * scale, 0.72 * h];
  stroke(context, ink.line, 2, () => {
    context.moveTo(0, cy);
    context.lineTo(w, cy);
  });
  context.fillStyle = ink.text;
  context.fillRect(cx - 0.25 * scale, cy - 0.14 * scale, 0.5 * scale, 0.28 * scale);
  const length = Math.min(1 * scale, 0.6 * h);
  stroke(context, ink.accent, 0.09 * scale, () => {
    context.moveTo(cx, cy - 0.14 * scale);
    context.lineTo(cx + length * sin(theta), cy - 0.14 * scale - length * cos(theta));
  });
  if (action < 0) return;
  const side = action === 1 ? 1 : -1;
  stroke(context, ink.second, 3, () => {
    context.moveTo(cx + side * 0.32 * scale, cy);
    context.lineTo(cx + side * 0.55 * scale, cy);
  });
}

/** Two links of 1 m that hang from a joint; the line is to be reached. */
function acrobot(context: Context, { variables }: Frame, ink: Ink, w: number, h: number): void {
  const [first = 0, second = 0] = variables;
  const scale = Math.min(w, h) / 4.6;
  const [x0, y0] = [w / 2, h / 2];
  const [x1, y1] = [x0 + scale * sin(first), y0 + scale * cos(first)];
  const [x2, y2] = [x1 + scale * sin(first + second), y1 + scale * cos(first + second)];
  stroke(context, ink.line, 2, () => {
    context.moveTo(0, y0 - scale);
    context.lineTo(w, y0 - scale);
  });
  stroke(context, ink.accent, 0.14 * scale, () => {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.lineTo(x2, y2);
  });
  dot(context, ink.text, x0, y0, 0.1 * scale);
  dot(context, ink.text, x1, y1, 0.1 * scale);
}

/** A car in a valley; the flag stands at its goal. */
function mountainCar(context: Context, { variables }: Frame, ink: Ink, w: number, h: number): void {
  const [position = -0.5] = variables;
  const [left, right] = [-1.2, 0.6];
  const xOf = (p: number) => ((p - left) / (right - left)) * w;
  const yOf = (p: number) => h - (0.55 + 0.45 * sin(3 * p)) * 0.75 * h - 0.06 * h;
  stroke(context, ink.line, 3, () => {
    context.moveTo(0, yOf(left));
    for (let p = left; p <= right; p += 0.02) context.lineTo(xOf(p), yOf(p));
  });
  const [fx, fy] = [xOf(0.5), yOf(0.5)];
  stroke(context, ink.second, 3, () => {
    context.moveTo(fx, fy);
    context.lineTo(fx, fy - 0.14 * h);
    context.lineTo(fx - 0.06 * h, fy - 0.11 * h);
    context.lineTo(fx, fy - 0.08 * h);
  });
  dot(context, ink.accent, xOf(position), yOf(position) - 0.035 * h, 0.035 * h);
}

const DRAWINGS = { "CartPole-v1": cartPole, "Acrobot-v1": acrobot, "MountainCar-v0": mountainCar };

/** A canvas whose points are the screen's. */
export function fitted(canvas: HTMLCanvasElement, height: number): Context {
  const ratio = devicePixelRatio || 1;
  const width = Math.max(canvas.clientWidth, 50);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Draws one step of an environment. */
export function drawFrame(canvas: HTMLCanvasElement, name: EnvironmentName, frame: Frame, ink: Ink): void {
  const height = 240;
  DRAWINGS[name](fitted(canvas, height), frame, ink, canvas.clientWidth, height);
}
