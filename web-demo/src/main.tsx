import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app/global.css";
import { ApolloProvider } from "@apollo/client/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { makeClient } from "./app/client";
import { router } from "./app/routes";
import { cssVariables, theme } from "./app/theme";
import { CartProvider } from "./cart/CartProvider";
import { SessionProvider } from "./session/SessionProvider";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root element");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <Notifications position="bottom-right" limit={4} />
      <ApolloProvider client={makeClient("/graphql")}>
        <SessionProvider>
          <CartProvider>
            {/* As a transition an address is rendered in pieces, between renders of the former one; a query that the
                two share would then be asked in turns for both, and might stay with the wrong one. */}
            <RouterProvider router={router} useTransitions={false} />
          </CartProvider>
        </SessionProvider>
      </ApolloProvider>
    </MantineProvider>
  </StrictMode>,
);
