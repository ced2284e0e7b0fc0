import { Button, Container } from "@mantine/core";
import { IconMapQuestion, IconMoodSad } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "../components/Empty";
import { usePageTitle } from "../components/usePageTitle";

export function NotFoundPage() {
  usePageTitle("Not found");
  return (
    <Empty
      icon={<IconMapQuestion size={36} />}
      title="There is nothing at this address"
      action={
        <Button component={Link} to="/">
          To the shop
        </Button>
      }
    >
      It may have moved, or the link has a mistake in it.
    </Empty>
  );
}

/** A page that fell over; also one whose script is gone after the shop was updated. */
export function CrashPage() {
  usePageTitle("Something broke");
  return (
    <Container>
      <Empty
        icon={<IconMoodSad size={36} />}
        title="This page fell over"
        action={<Button onClick={() => location.reload()}>Reload</Button>}
      >
        It may have been updated while you had it open. Your cart and your orders are safe.
      </Empty>
    </Container>
  );
}
