// What is around every page: header with search, cart and account; footer; where the focus goes on a change of page.
import {
  ActionIcon,
  Anchor,
  Box,
  Container,
  Group,
  Indicator,
  Loader,
  Text,
  UnstyledButton,
  VisuallyHidden,
} from "@mantine/core";
import { IconShoppingCart } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { Link, Outlet, ScrollRestoration, useLocation, useNavigation } from "react-router";
import { useCart } from "../cart/CartProvider";
import { SearchBox } from "../catalogue/SearchBox";
import { AccountMenu } from "../session/AccountMenu";
import { ColorSchemeToggle } from "./ColorSchemeToggle";
import classes from "./Shell.module.css";

function Logo() {
  return (
    <UnstyledButton component={Link} to="/" className={classes.logo} aria-label="Mercato, to the start page">
      <img src="/favicon.svg" alt="" width={32} height={32} />
      <span className={classes.name}>Mercato</span>
    </UnstyledButton>
  );
}

function CartButton() {
  const { cart } = useCart();
  const pieces = cart?.totalQuantity ?? 0;
  return (
    <Indicator label={pieces} size={18} disabled={pieces === 0} color="orange" offset={5} zIndex={1}>
      <ActionIcon
        component={Link}
        to="/cart"
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={pieces === 0 ? "Cart, empty" : `Cart, ${pieces} ${pieces === 1 ? "piece" : "pieces"}`}
      >
        <IconShoppingCart size={22} aria-hidden />
      </ActionIcon>
    </Indicator>
  );
}

export function Shell() {
  const { pathname } = useLocation();
  const navigation = useNavigation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);

  // A screen reader goes on at the new page, not at the link that led to it.
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    if (document.activeElement?.getAttribute("type") !== "search")
      main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <Box className={classes.page}>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className={classes.header}>
        <Container size="xl" className={classes.bar}>
          <Logo />
          <div className={classes.search}>
            <SearchBox />
          </div>
          <Group gap={4} wrap="nowrap" className={classes.tools}>
            <ColorSchemeToggle />
            <AccountMenu />
            <CartButton />
          </Group>
        </Container>
        {navigation.state === "loading" && (
          <div className={classes.progress} role="status">
            <VisuallyHidden>Loading the page</VisuallyHidden>
            <Loader size={16} aria-hidden />
          </div>
        )}
      </header>
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Container size="xl" py={{ base: "md", sm: "xl" }}>
          <Outlet />
        </Container>
      </main>
      <footer className={classes.footer}>
        <Container size="xl">
          <Group justify="space-between" gap="xs">
            <Text size="sm" c="dimmed">
              Mercato is a demonstration. Nothing is sold, nothing is charged, nothing is sent.
            </Text>
            <Anchor component={Link} to="/orders" size="sm">
              Your orders
            </Anchor>
          </Group>
        </Container>
      </footer>
      <ScrollRestoration getKey={(location) => location.pathname} />
    </Box>
  );
}
