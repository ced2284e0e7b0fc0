// One chunk per page, and one for the whole control room; the home page comes with the shell, since most visits begin there.
import { createBrowserRouter } from "react-router";
import { HomePage } from "../catalogue/HomePage";
import { CrashPage, NotFoundPage } from "./OtherPages";
import { Shell } from "./Shell";

const ops = () => import("../ops");

export const router = createBrowserRouter([
  {
    path: "/",
    element: <Shell />,
    errorElement: <CrashPage />,
    HydrateFallback: () => null,
    children: [
      { index: true, element: <HomePage /> },
      {
        path: "p/:slug",
        lazy: async () => ({ Component: (await import("../catalogue/ProductPage")).ProductPage }),
      },
      { path: "cart", lazy: async () => ({ Component: (await import("../cart/CartPage")).CartPage }) },
      {
        path: "checkout",
        lazy: async () => ({ Component: (await import("../checkout/CheckoutPage")).CheckoutPage }),
      },
      { path: "login", lazy: async () => ({ Component: (await import("../session/LoginPage")).LoginPage }) },
      {
        path: "register",
        lazy: async () => ({ Component: (await import("../session/RegisterPage")).RegisterPage }),
      },
      {
        path: "orders",
        lazy: async () => ({ Component: (await import("../orders/OrdersPage")).OrdersPage }),
      },
      {
        path: "orders/:id",
        lazy: async () => ({ Component: (await import("../orders/OrderPage")).OrderPage }),
      },
      {
        path: "notifications",
        lazy: async () => ({ Component: (await import("../notices/NoticesPage")).NoticesPage }),
      },
      {
        path: "account",
        lazy: async () => ({ Component: (await import("../account/AccountPage")).AccountPage }),
      },
      {
        path: "ops",
        lazy: async () => ({ Component: (await ops()).OpsLayout }),
        children: [
          { index: true, lazy: async () => ({ Component: (await ops()).OverviewPage }) },
          { path: "orders/:id", lazy: async () => ({ Component: (await ops()).SagaPage }) },
          { path: "orders/:id/trace", lazy: async () => ({ Component: (await ops()).TracePage }) },
          { path: "orders", lazy: async () => ({ Component: (await ops()).SearchPage }) },
          { path: "stuck", lazy: async () => ({ Component: (await ops()).StuckPage }) },
          { path: "refunds", lazy: async () => ({ Component: (await ops()).RefundsPage }) },
          { path: "stock", lazy: async () => ({ Component: (await ops()).StockPage }) },
          { path: "coupons", lazy: async () => ({ Component: (await ops()).CouponsPage }) },
          { path: "sales", lazy: async () => ({ Component: (await ops()).SalesPage }) },
          { path: "webhooks", lazy: async () => ({ Component: (await ops()).WebhooksPage }) },
          { path: "webhooks/:id", lazy: async () => ({ Component: (await ops()).WebhookPage }) },
          { path: "mails", lazy: async () => ({ Component: (await ops()).MailsPage }) },
          { path: "plugs", lazy: async () => ({ Component: (await ops()).PlugsPage }) },
        ],
      },
      { path: "*", element: <NotFoundPage /> },
    ],
  },
]);
