// One cell as a table's cell: its text, its format, and what of it needs care.

import { h } from "./dom.js";

const LEAST_CONTRAST = 3;

function luminance(hex) {
  const channels = [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16) / 255);
  const [red, green, blue] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// The colour of text: its own unless nobody could read it on this page, which may be dark.
function ink({ color, background }, paper) {
  if (color && (background || contrast(color, paper) >= LEAST_CONTRAST)) return color;
  if (!background) return "";
  return luminance(background) > 0.3 ? "#1d2321" : "#f4f6f5";
}

function dress(td, format, paper) {
  td.style.color = ink(format, paper);
  td.style.backgroundColor = format.background ?? "";
  td.style.textAlign = format.align ?? "";
  td.style.fontWeight = format.bold ? "700" : "";
  td.style.fontStyle = format.italic ? "italic" : "";
  const lines = [format.underline && "underline", format.strikethrough && "line-through"];
  td.style.textDecoration = lines.filter(Boolean).join(" ");
}

// `room` is the width in pixels that its text may take, beyond the cell's own where that is free.
export function cellElement(cell, { id, paper, room }) {
  const td = h("td", { id, role: "gridcell" });
  if (!cell) return td;
  td.classList.add(cell.type);
  if (room) {
    const spilt = h("span", {}, cell.value);
    spilt.style.width = `${room}px`;
    td.classList.add("spilt");
    td.append(spilt);
  } else td.textContent = cell.value;
  if (cell.format) dress(td, cell.format, paper);
  if (cell.note) {
    td.classList.add("noted");
    td.title = cell.note;
  }
  return td;
}

export function columnLetters(index) {
  let letters = "";
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return letters;
}
