import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

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

/** Greys with a breath of the sea in them. */
const dark: MantineColorsTuple = [
  "#e3e8e7",
  "#b9c3c1",
  "#a3aeac",
  "#7c8785",
  "#465250",
  "#333d3b",
  "#242c2b",
  "#1a201f",
  "#141918",
  "#0e1211",
];

/** System fonts only: nothing to download. */
const SANS =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

export const theme = createTheme({
  primaryColor: "sea",
  // White on it can be read in both schemes; whoever chooses the text colour knows only the light one.
  primaryShade: 7,
  autoContrast: true,
  colors: { sea, dark },
  fontFamily: SANS,
  headings: { fontFamily: SANS, fontWeight: "750" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Notification: { styles: { description: { color: "var(--mantine-color-dimmed)" } } },
    Card: { defaultProps: { bg: "var(--shop-surface)" } },
  },
});

/** Small text on tinted ground keeps a contrast of 4.5 and more in both schemes. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#fbfaf8",
    "--shop-surface": "#ffffff",
    "--mantine-color-text": "#1c2423",
    "--mantine-color-dimmed": "#5a6462",
    "--mantine-color-placeholder": "#697371",
    "--mantine-color-default-border": "#dedfdc",
    "--mantine-color-sea-light-color": "#0b5f58",
    "--mantine-color-teal-light": "#dcf5ec",
    "--mantine-color-teal-light-color": "#06604a",
    "--mantine-color-yellow-light-color": "#7a4b00",
    "--mantine-color-orange-light-color": "#96380a",
    "--mantine-color-red-light-color": "#b02525",
    "--mantine-color-gray-light-color": "#495057",
    "--mantine-color-orange-text": "#a8410b",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-red-filled": "#c92a2a",
    "--mantine-color-red-filled-hover": "#b02525",
  },
  dark: {
    "--mantine-color-body": "#121716",
    "--shop-surface": "#1c2322",
    "--mantine-color-text": "#e3e8e7",
    "--mantine-color-dimmed": "#a3aeac",
    "--mantine-color-placeholder": "#8b9694",
    "--mantine-color-default": "#1c2322",
    "--mantine-color-default-hover": "#242c2b",
    "--mantine-color-default-border": "#333d3b",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-gray-light-color": "#c4cccb",
    "--mantine-color-orange-text": "#ffa94d",
    "--mantine-color-red-filled": "#c92a2a",
    "--mantine-color-red-filled-hover": "#b02525",
    "--mantine-color-gray-light": "#262f2d",
    "--mantine-color-red-light": "#3b1f20",
    "--mantine-color-orange-light": "#3a2716",
    "--mantine-color-yellow-light": "#383015",
    "--mantine-color-teal-light": "#12342b",
    "--mantine-color-sea-light": "#12342f",
    "--mantine-color-grape-light": "#34203b",
  },
});
