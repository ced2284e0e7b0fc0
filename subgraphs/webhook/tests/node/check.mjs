// Verifies one delivery as a receiver would, with the official library.
import assert from 'node:assert/strict';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const env = process.env;
const body = env.WEBHOOK_BODY;
const headers = {
  'webhook-id': env.WEBHOOK_ID,
  'webhook-timestamp': env.WEBHOOK_TIMESTAMP,
  'webhook-signature': env.WEBHOOK_SIGNATURE,
};

const checks = {
  'either secret lets it through'() {
    for (const secret of [env.WEBHOOK_SECRET_OLD, env.WEBHOOK_SECRET_NEW]) {
      const event = new Webhook(secret).verify(body, headers);
      assert.equal(event.type, 'order.created.v1');
      assert.equal(event.data.order_id, env.ORDER_ID);
      assert.ok(!Number.isNaN(Date.parse(event.timestamp)));
    }
  },

  'anything else is refused'() {
    const webhook = new Webhook(env.WEBHOOK_SECRET_NEW);
    const refused = (text, heads) =>
      assert.throws(() => webhook.verify(text, { ...headers, ...heads }), WebhookVerificationError);
    refused(`${body} `, {});
    refused(body, { 'webhook-id': 'whd_other' });
    refused(body, { 'webhook-timestamp': String(Number(env.WEBHOOK_TIMESTAMP) - 1) });
    refused(body, { 'webhook-timestamp': String(Number(env.WEBHOOK_TIMESTAMP) - 600) });
    const other = new Webhook('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX');
    assert.throws(() => other.verify(body, headers), WebhookVerificationError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  check();
  console.log(`ok: ${name}`);
}
console.log('all checks passed');
