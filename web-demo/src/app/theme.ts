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

/** System fonts only: nothing to download. */
const SANS =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  colors: { sea },
  fontFamily: SANS,
  headings: { fontFamily: SANS, fontWeight: "750" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
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
  },
  dark: {
    "--mantine-color-body": "#141918",
    "--shop-surface": "#1c2322",
    "--mantine-color-text": "#e3e8e7",
    "--mantine-color-dimmed": "#a3aeac",
    "--mantine-color-placeholder": "#8b9694",
    "--mantine-color-default": "#1c2322",
    "--mantine-color-default-hover": "#242c2b",
    "--mantine-color-default-border": "#333d3b",
    "--mantine-color-gray-light-color": "#c4cccb",
    "--mantine-color-orange-text": "#ffa94d",
  },
});
