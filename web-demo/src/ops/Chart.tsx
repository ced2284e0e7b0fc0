// Two small charts, drawn as they are needed: no library, and nothing that moves by itself.
import classes from "./Ops.module.css";

const WIDTH = 400;
const HEIGHT = 140;
const FLOOR = HEIGHT - 18;
const TOP = 16;

interface Series {
  color: string;
  values: readonly (number | null)[];
}

function top(series: readonly Series[]): number {
  let most = 0;
  for (const { values } of series) for (const value of values) most = Math.max(most, value ?? 0);
  return most;
}

/** 1, 2 or 5 times a power of ten, so that the scale does not jump with every order. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}

interface ChartProps {
  /** What a screen reader says of it. */
  label: string;
  bars?: readonly Series[];
  lines?: readonly Series[];
  /** How the top of the scale is written. */
  format(value: number): string;
  /** What stands below its two ends. */
  start: string;
  end: string;
  /** What is said of each place under a pointer. */
  notes?: readonly string[];
}

type AxisProps = Pick<ChartProps, "format" | "start" | "end"> & { most: number };

function Axis({ most, format, start, end }: AxisProps) {
  return (
    <g fill="var(--mantine-color-dimmed)" fontSize={11}>
      <line x1={0} x2={WIDTH} y1={TOP} y2={TOP} stroke="var(--mantine-color-default-border)" />
      <line x1={0} x2={WIDTH} y1={FLOOR} y2={FLOOR} stroke="var(--mantine-color-default-border)" />
      <text x={0} y={TOP - 5}>
        {format(most)}
      </text>
      <text x={0} y={HEIGHT - 4}>
        {start}
      </text>
      <text x={WIDTH} y={HEIGHT - 4} textAnchor="end">
        {end}
      </text>
    </g>
  );
}

function path(values: readonly (number | null)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length);
  let pen = "M";
  let drawn = "";
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const x = (index + 0.5) * step;
    const y = FLOOR - (value / most) * (FLOOR - TOP);
    drawn += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return drawn;
}

export function Chart({ label, bars = [], lines = [], format, start, end, notes = [] }: ChartProps) {
  const most = roundUp(top([...bars, ...lines]));
  return (
    <svg className={classes.chart} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <Axis most={most} format={format} start={start} end={end} />
      {bars.map(({ color, values }) =>
        values.map((value, index) => {
          const width = WIDTH / values.length;
          const height = ((value ?? 0) / most) * (FLOOR - TOP);
          return (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
              key={index}
              x={index * width + 1}
              y={FLOOR - height}
              width={Math.max(1, width - 2)}
              height={height}
              rx={1}
              fill={color}
            />
          );
        }),
      )}
      {lines.map(({ color, values }) => (
        <path
          key={color}
          d={path(values, most)}
          fill="none"
          stroke={color}
          strokeWidth={2}
          strokeLinejoin="round"
          strokeLinecap="round"
        />
      ))}
      {notes.map((note, index) => {
        const width = WIDTH / notes.length;
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: it is its place
            key={index}
            className={classes.place}
            x={index * width}
            y={TOP}
            width={width}
            height={FLOOR - TOP}
          >
            <title>{note}</title>
          </rect>
        );
      })}
    </svg>
  );
}
