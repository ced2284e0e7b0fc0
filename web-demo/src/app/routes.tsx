// One chunk per page; the home page comes with the shell, since most visits begin there.
import { createBrowserRouter } from "react-router";
import { HomePage } from "../catalogue/HomePage";
import { CrashPage, NotFoundPage } from "./OtherPages";
import { Shell } from "./Shell";

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
      { path: "*", element: <NotFoundPage /> },
    ],
  },
]);
