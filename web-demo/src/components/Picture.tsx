// A product's picture, or a quiet tile where there is none.
import { useState } from "react";
import classes from "./Picture.module.css";

interface PictureProps {
  src: string | null | undefined;
  title: string;
  /** Beside its own title a picture says nothing new. */
  decorative?: boolean;
  eager?: boolean;
}

function hue(title: string): number {
  let sum = 0;
  for (const char of title) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 360;
  return sum;
}

export function Picture({ src, title, decorative = true, eager = false }: PictureProps) {
  const [broken, setBroken] = useState(false);
  if (!src || broken) {
    const initials = title
      .split(/\s+/)
      .slice(0, 2)
      .map((word) => word.charAt(0).toUpperCase())
      .join("");
    const from = hue(title);
    return (
      <div
        className={classes.tile}
        style={{ background: `linear-gradient(135deg, hsl(${from} 45% 88%), hsl(${from + 30} 45% 74%))` }}
        aria-hidden
      >
        {initials}
      </div>
    );
  }
  return (
    <img
      className={classes.image}
      src={src}
      alt={decorative ? "" : title}
      width={400}
      height={400}
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      onError={() => setBroken(true)}
    />
  );
}
