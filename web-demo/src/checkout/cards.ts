// The cards of the demonstration's bank, and what each of them makes happen.
export interface TestCard {
  method: string;
  name: string;
  outcome: string;
  tone: "teal" | "red" | "yellow";
  text: string;
}

export const TEST_CARDS: TestCard[] = [
  {
    method: "pm_card_visa",
    name: "The good card",
    outcome: "pays at once",
    tone: "teal",
    text: "Stock is reserved, the card is charged, the stock becomes yours: paid.",
  },
  {
    method: "pm_card_chargeDeclined",
    name: "The declined card",
    outcome: "declined",
    tone: "red",
    text: "The bank says no. The order turns round and puts the reserved stock back on the shelf.",
  },
  {
    method: "pm_card_insufficientFunds",
    name: "The empty card",
    outcome: "declined",
    tone: "red",
    text: "Not enough money on it: declined too, with another reason.",
  },
  {
    method: "pm_mercato_slow",
    name: "The slow bank",
    outcome: "pays after some seconds",
    tone: "yellow",
    text: "The bank thinks for a few seconds. Enough time to watch the order wait, or to cancel it.",
  },
  {
    method: "pm_mercato_never",
    name: "The silent bank",
    outcome: "never decides",
    tone: "yellow",
    text: "No answer ever comes. Cancel it yourself, or the shop gives up when the time for paying is over.",
  },
  {
    method: "pm_mercato_lateSuccess",
    name: "The late bank",
    outcome: "pays too late",
    tone: "yellow",
    text: "Cancel the order: the bank charges you all the same, a moment later. Watch the money come back by itself.",
  },
];

/** A coupon that comes with the demonstration's catalogue. */
export const TEST_COUPON = { code: "WELCOME10", text: "takes ten percent off, once for each buyer." };
