import { useDocumentTitle } from "@mantine/hooks";

/** What the tab and a screen reader say after a change of page. */
export function usePageTitle(title: string): void {
  useDocumentTitle(title ? `${title} · Mercato` : "Mercato");
}
