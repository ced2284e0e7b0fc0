// Everything of the control room comes in one chunk, which shoppers never load.
export { CouponsPage } from "./CouponsPage";
export { MailsPage } from "./MailsPage";
export { OpsLayout } from "./OpsLayout";
export { OverviewPage } from "./OverviewPage";
export { PlugsPage } from "./PlugsPage";
export { RefundsPage } from "./RefundsPage";
export { SagaPage } from "./SagaPage";
export { SalesPage } from "./SalesPage";
export { SearchPage } from "./SearchPage";
export { StockPage } from "./StockPage";
export { StuckPage } from "./StuckPage";
export { TracePage } from "./TracePage";
export { WebhookPage } from "./WebhookPage";
export { WebhooksPage } from "./WebhooksPage";
