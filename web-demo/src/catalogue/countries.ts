// Where parcels can be estimated to: the reader's own country first.
const CODES =
  "AT AU BE BG BR CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IT JP KR LT LU LV MT MX NL NO NZ PL PT RO SE SG SI SK US ZA".split(
    " ",
  );

export function defaultCountry(): string {
  const region = new Intl.Locale(navigator.language).maximize().region;
  return region && CODES.includes(region) ? region : "US";
}

export function countries(): { value: string; label: string }[] {
  const names = new Intl.DisplayNames(undefined, { type: "region" });
  return CODES.map((value) => ({ value, label: names.of(value) ?? value })).sort((a, b) =>
    a.label.localeCompare(b.label),
  );
}
