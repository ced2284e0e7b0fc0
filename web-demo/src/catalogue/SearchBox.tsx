// Search as you type: each pause in typing is a new list; the address follows.
import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { readWanted, writeWanted } from "./filters";

const PAUSE_MS = 220;

export function SearchBox() {
  const { pathname } = useLocation();
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const shown = pathname === "/" ? (params.get("q") ?? "") : "";
  const [text, setText] = useState(shown);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const input = useRef<HTMLInputElement>(null);

  // The back button, or a filter taken away, changes what is searched for.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(shown);
  }, [shown]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (next: string, pause: number) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const wanted = pathname === "/" ? readWanted(params) : readWanted(new URLSearchParams());
      const query = writeWanted({ ...wanted, text: next.trim() }).toString();
      void navigate(query ? `/?${query}` : "/", { replace: pathname === "/" && shown !== "" });
    }, pause);
  };

  return (
    <search>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text, 0);
        }}
      >
        <TextInput
          ref={input}
          type="search"
          name="q"
          radius="xl"
          variant="filled"
          aria-label="Search products"
          placeholder="Search products"
          autoComplete="off"
          value={text}
          onChange={(event) => search(event.currentTarget.value, PAUSE_MS)}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={
            text ? (
              <CloseButton
                size="sm"
                radius="xl"
                aria-label="Clear the search"
                onClick={() => search("", 0)}
              />
            ) : null
          }
        />
      </form>
    </search>
  );
}
