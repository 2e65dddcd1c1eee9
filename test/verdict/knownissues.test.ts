import { describe, expect, it } from 'vitest';
import { parseKnownIssues } from '../../harness/verdict/knownissues.ts';

const ENTRY = `
- signature: "warning: WARNING in foo*"
  reason: known since 6.1
  link: https://example.org/1
  expires: 2026-12-31
`;

describe('known-issues.yaml', () => {
  it('is read with the place of each entry', () => {
    const [issue] = parseKnownIssues(ENTRY, 'known-issues.yaml');
    expect(issue).toEqual({
      match: { signature: 'warning: WARNING in foo*' },
      reason: 'known since 6.1',
      link: 'https://example.org/1',
      expires: '2026-12-31',
      place: 'known-issues.yaml:2:3',
    });
    expect(parseKnownIssues('', 'known-issues.yaml')).toEqual([]);
  });

  it.each([
    [`${ENTRY}  expirse: 2026-12-31\n`, /known-issues\.yaml:6:3.*did you mean expires/],
    [ENTRY.replace('2026-12-31', 'never'), /known-issues\.yaml:5:12.*expected a date/],
    [ENTRY.replace('  link', '  device: x\n  link'), /either a signature or a device/],
    [`${ENTRY}- [`, /known-issues\.yaml:\d+/],
  ])('errors name file and line', (text, message) => {
    expect(() => parseKnownIssues(text, 'known-issues.yaml')).toThrow(message);
  });
});
