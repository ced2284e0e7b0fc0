// Points Stripe's own client library at the sandbox: whatever it can read, Mercato's adapter can rely on.
import assert from 'node:assert/strict';
import Stripe from 'stripe';

const base = new URL(process.env.PSP_BASE_URL);
const stripe = new Stripe(process.env.PSP_API_KEY, {
  host: base.hostname,
  port: Number(base.port),
  protocol: base.protocol.replace(':', ''),
  maxNetworkRetries: 0,
  telemetry: false,
});

const create = (payment_method, options) =>
  stripe.paymentIntents.create(
    {
      amount: 1999,
      currency: 'usd',
      payment_method,
      confirm: true,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { order_id: 'ord_node' },
    },
    options,
  );

const checks = {
  async 'create and confirm in one step'() {
    const intent = await create('pm_card_visa');
    assert.equal(intent.object, 'payment_intent');
    assert.equal(intent.status, 'succeeded');
    assert.equal(intent.metadata.order_id, 'ord_node');
    assert.equal((await stripe.paymentIntents.retrieve(intent.id)).amount_received, 1999);
  },

  async 'create, then confirm'() {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'eur' });
    assert.equal(intent.status, 'requires_payment_method');
    const confirmed = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
    assert.equal(confirmed.status, 'succeeded');
  },

  async 'a decline is a StripeCardError with its code'() {
    await assert.rejects(create('pm_card_insufficientFunds'), (error) => {
      assert.ok(error instanceof Stripe.errors.StripeCardError);
      assert.equal(error.code, 'card_declined');
      assert.equal(error.decline_code, 'insufficient_funds');
      assert.equal(error.statusCode, 402);
      assert.equal(error.payment_intent.status, 'requires_payment_method');
      return true;
    });
  },

  async 'an idempotency key gives one intent, and refuses other parameters'() {
    const options = { idempotencyKey: `node-${process.pid}-${Date.now()}` };
    const first = await create('pm_card_visa', options);
    const second = await create('pm_card_visa', options);
    assert.equal(first.id, second.id);
    assert.equal(second.lastResponse.headers['idempotent-replayed'], 'true');
    await assert.rejects(create('pm_card_mastercard', options), Stripe.errors.StripeIdempotencyError);
  },

  async 'cancel'() {
    const intent = await create('pm_mercato_never');
    assert.equal(intent.status, 'processing');
    assert.equal((await stripe.paymentIntents.cancel(intent.id)).status, 'canceled');
    await assert.rejects(stripe.paymentIntents.cancel(intent.id), (error) => {
      assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
      assert.equal(error.code, 'payment_intent_unexpected_state');
      return true;
    });
  },

  async 'refund a part, then the rest'() {
    const intent = await create('pm_card_visa');
    const part = await stripe.refunds.create({ payment_intent: intent.id, amount: 999 });
    assert.equal(part.status, 'succeeded');
    assert.equal((await stripe.refunds.retrieve(part.id)).amount, 999);
    assert.equal((await stripe.refunds.create({ payment_intent: intent.id })).amount, 1000);
    await assert.rejects(stripe.refunds.create({ payment_intent: intent.id }), (error) => {
      assert.equal(error.code, 'charge_already_refunded');
      return true;
    });
    assert.equal((await stripe.refunds.list({ payment_intent: intent.id })).data.length, 2);
  },

  async 'lists page by themselves'() {
    const ids = new Set();
    for await (const intent of stripe.paymentIntents.list({ limit: 2 })) ids.add(intent.id);
    assert.ok(ids.size >= 5, `${ids.size} intents`);
    const found = await stripe.paymentIntents.search({ query: "metadata['order_id']:'ord_node'", limit: 100 });
    assert.ok(found.data.length >= 4);
  },

  async 'a wrong key and an unknown id have their error classes'() {
    const stranger = new Stripe('sk_test_wrong', { host: base.hostname, port: Number(base.port), protocol: 'http' });
    await assert.rejects(stranger.paymentIntents.list(), Stripe.errors.StripeAuthenticationError);
    await assert.rejects(stripe.paymentIntents.retrieve('pi_none'), (error) => {
      assert.equal(error.code, 'resource_missing');
      assert.equal(error.statusCode, 404);
      return true;
    });
  },

  async 'a delivered webhook passes constructEvent, a changed one does not'() {
    const { WEBHOOK_BODY: body, WEBHOOK_SIGNATURE: signature, WEBHOOK_SECRET: secret } = process.env;
    const event = stripe.webhooks.constructEvent(body, signature, secret);
    assert.equal(event.type, 'payment_intent.succeeded');
    assert.equal(event.data.object.id, process.env.WEBHOOK_INTENT);
    const changed = body.replace('1999', '1998');
    assert.notEqual(changed, body);
    assert.throws(
      () => stripe.webhooks.constructEvent(changed, signature, secret),
      Stripe.errors.StripeSignatureVerificationError,
    );
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok   ${name}`);
}
console.log('all checks passed');
