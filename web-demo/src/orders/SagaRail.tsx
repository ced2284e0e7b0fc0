// The saga drawn: the way there from left to right, and, if it turned round, the way back under it.
import { VisuallyHidden } from "@mantine/core";
import {
  IconArrowBackUp,
  IconBox,
  IconBuildingBank,
  IconCheck,
  IconCircleCheck,
  IconMinus,
  IconReceipt,
  IconReceiptRefund,
  IconTruckDelivery,
  IconX,
  type TablerIcon,
} from "@tabler/icons-react";
import { formatTime } from "../lib/dates";
import classes from "./SagaRail.module.css";
import type { Journey, Station, StationState } from "./stations";

const ICONS: Record<string, TablerIcon> = {
  placed: IconReceipt,
  stock: IconBox,
  payment: IconBuildingBank,
  paid: IconCircleCheck,
  delivery: IconTruckDelivery,
  money: IconReceiptRefund,
  "stock-back": IconBox,
  ended: IconArrowBackUp,
};

const SPOKEN: Record<StationState, string> = {
  todo: "not yet",
  active: "under way",
  done: "done",
  refused: "refused",
  undone: "undone",
  skipped: "not needed",
};

function Stop({ station, column }: { station: Station; column: number }) {
  const Icon = ICONS[station.key] ?? IconCheck;
  return (
    <li className={classes.stop} data-state={station.state} style={{ gridColumn: column }}>
      <span className={classes.dot} aria-hidden>
        <Icon size={24} stroke={1.7} />
        {station.state === "done" && <IconCheck className={classes.mark} size={14} stroke={3} />}
        {station.state === "refused" && <IconX className={classes.mark} size={14} stroke={3} />}
        {(station.state === "undone" || station.state === "skipped") && (
          <IconMinus className={classes.mark} size={14} stroke={3} />
        )}
      </span>
      <span className={classes.label}>{station.label}</span>
      <span className={classes.detail}>{station.detail}</span>
      <span className={classes.time}>{station.at ? formatTime(station.at) : "\u00a0"}</span>
      <VisuallyHidden>{SPOKEN[station.state]}</VisuallyHidden>
    </li>
  );
}

export function SagaRail({ journey }: { journey: Journey }) {
  const columns = journey.forward.length;
  const style = { "--columns": columns } as React.CSSProperties;
  return (
    <div className={classes.rail}>
      <ol className={classes.way} style={style} aria-label="The way there">
        {journey.forward.map((station, index) => (
          <Stop key={station.key} station={station} column={index + 1} />
        ))}
      </ol>
      {journey.back.length > 0 && (
        <ol className={classes.back} style={style} aria-label="The way back">
          {journey.back.map((station, index) => (
            // Money is undone under the payment, stock under the stock.
            <Stop key={station.key} station={station} column={3 - index} />
          ))}
        </ol>
      )}
    </div>
  );
}
