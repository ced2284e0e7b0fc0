import { createTheme, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#eefaf8",
  "#d9f2ee",
  "#aee5dc",
  "#80d7c9",
  "#5bcbb9",
  "#3fb3a2",
  "#218f81",
  "#0f766e",
  "#0b625b",
  "#064b46",
];

/** System fonts only; the serif gives the shop its voice. */
const SANS =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
const SERIF =
  "'Iowan Old Style', 'Palatino Linotype', Palatino, 'Book Antiqua', 'TeX Gyre Pagella', Georgia, serif";

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  colors: { sea },
  fontFamily: SANS,
  headings: { fontFamily: SERIF, fontWeight: "700" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
});
