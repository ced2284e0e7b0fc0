// The figures of a report as tiles, and what they are made of.
import { formatMoney, subtract } from "../lib/money";
import { Tile, whole } from "./figures";
import classes from "./Ops.module.css";
import { type Report, shareWords } from "./sales";

export function SalesTiles({ report }: { report: Report }) {
  const { totals, customers } = report;
  return (
    <div className={classes.tiles} data-revenue={totals.revenue.amount} data-orders={totals.orders}>
      <Tile label="Revenue" value={formatMoney(totals.revenue)} hint="paid orders" />
      <Tile
        label="After refunds"
        value={formatMoney(subtract(totals.revenue, totals.refunded))}
        hint={`${formatMoney(totals.refunded)} went back`}
      />
      <Tile
        label="Orders"
        value={whole.format(totals.orders)}
        hint={`${whole.format(totals.cancelled)} cancelled`}
      />
      <Tile
        label="Paid"
        value={shareWords(totals.paid, totals.orders)}
        hint={`${whole.format(totals.paid)} of ${whole.format(totals.orders)}`}
      />
      <Tile label="Discounts" value={formatMoney(totals.discounts)} hint="by coupons" />
      <Tile
        label="Buyers"
        value={whole.format(customers.new + customers.returning)}
        hint={`${whole.format(customers.new)} new, ${whole.format(customers.returning)} returning`}
      />
    </div>
  );
}
