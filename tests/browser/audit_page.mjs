// SPDX-License-Identifier: Apache-2.0
// audit_page.mjs REPORT.html MANY.html [FOLDER] - opens a report of `seccomp-authz audit --format html`
// in headless Chromium, filters and sorts it, and fails on any console message, dialog or
// request. MANY.html has thousands of findings, and must answer soon. With FOLDER, screenshots go there: light, dark, print.
// Needs playwright-core (npm) below the working folder; CHROMIUM is the browser
// [/usr/bin/chromium]. Called by run.py (`make test-browser`).
import assert from 'node:assert';
import path from 'node:path';
import { createRequire } from 'node:module';

const { chromium } = createRequire(path.join(process.cwd(), 'x.js'))('playwright-core');
const [report, many, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
const seen = [];

async function open(colorScheme) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1400, height: 1300 } });
  page.on('console', message => seen.push(message.text()));
  page.on('pageerror', error => seen.push(String(error)));
  page.on('dialog', dialog => { seen.push('dialog'); dialog.dismiss(); });
  page.on('request', request => {
    if (!request.url().startsWith('file:')) seen.push(request.url());
  });
  await page.goto('file://' + path.resolve(report));
  if (folder) await page.screenshot({ path: path.join(folder, colorScheme + '.png') });
  return page;
}

const names = page => page.$$eval('#findings tbody tr:not([hidden]) th', cells =>
  cells.map(cell => cell.textContent));
const heading = 'thead th:nth-child(4)';

await open('dark');
const page = await open('light');
const all = await names(page);
assert(all.length > 1, 'a report with findings is needed');
assert.equal(await page.textContent('#shown'), `${all.length} of ${all.length} findings`);

// A name that is markup is a text like any other.
assert(all.includes('<script>alert(1)</script>'), 'the name is shown as it is');
assert.equal(await page.$$eval('script', list => list.length), 1, 'there is one script: ours');
assert.equal(await page.$$eval('img,iframe,link,object', list => list.length), 0);

await page.fill('#words', all[all.length - 1]);
const found = await names(page);
assert(found.length >= 1 && found.length < all.length, 'the search narrows');
await page.fill('#words', 'no such words anywhere');
assert.deepEqual(await names(page), []);
await page.fill('#words', '');

for (const verdict of await page.$$eval('#verdict option', list => list.map(o => o.value))) {
  await page.selectOption('#verdict', verdict);
  const shown = await page.$$eval('#findings tbody tr:not([hidden])', rows =>
    rows.map(row => row.dataset.verdict));
  assert(shown.length > 0 && shown.every(v => !verdict || v === verdict), verdict);
}
await page.selectOption('#verdict', '');

const order = new Intl.Collator('en', { numeric: true }).compare;
await page.click(`#findings ${heading} button`);
assert.equal(await page.getAttribute(`#findings ${heading}`, 'aria-sort'), 'ascending');
assert.deepEqual(await names(page), [...all].sort(order));
await page.focus(`#findings ${heading} button`);
await page.keyboard.press('Enter');
assert.equal(await page.getAttribute(`#findings ${heading}`, 'aria-sort'), 'descending');
assert.deepEqual(await names(page), [...all].sort((a, b) => order(b, a)));

// Every control has a name, as those hear it who don't see the page; the width suffices.
for (const role of ['searchbox', 'combobox', 'button'])
  for (const control of await page.getByRole(role).all())
    assert((await control.evaluate(e => e.labels?.[0]?.textContent ?? e.textContent)).trim());
await page.setViewportSize({ width: 1000, height: 900 });
const over = await page.evaluate(() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth);
assert(over <= 0, `${over} px wider than a window of 1000`);

await page.emulateMedia({ media: 'print' });
assert(!await page.isVisible('#filter'), 'paper has no form');
if (folder) await page.screenshot({ path: path.join(folder, 'print.png') });

// Thousands of rows: what a click and a letter cost, layout included.
await page.emulateMedia({ media: 'screen' });
await page.goto('file://' + path.resolve(many));
const [rows, sorting, filtering] = await page.evaluate(() => {
  const time = act => {
    const begin = performance.now();
    act();
    document.body.getBoundingClientRect();
    return Math.round(performance.now() - begin);
  };
  const words = document.getElementById('words');
  return [document.querySelectorAll('#findings tbody tr').length,
    time(() => document.querySelector('#findings thead th:nth-child(4) button').click()),
    time(() => {
      words.value = 'web-19';
      words.dispatchEvent(new Event('input', { bubbles: true }));
    })];
});
console.log(`${rows} rows: sorted in ${sorting} ms, filtered in ${filtering} ms`);
assert(rows > 2000 && sorting < 10000 && filtering < 5000);
assert.deepEqual(seen, []);
await browser.close();
console.log(`ok: ${all.length} findings filtered and sorted, nothing on the console`);
