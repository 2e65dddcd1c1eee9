import { expect, it } from 'vitest';
import { toDts } from '../../harness/devicetree/dts.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { compile } from './dtc.ts';

it('writes source that a person can read: strings, cells, bytes and labels', async () => {
  const source = `/dts-v1/;

/memreserve/ 0x1000 0x20;
/ {
	model = "a \\"quoted\\" \\\\ name";
	compatible = "one", "two";
	none;
	empty = "";
	zero = <0x0>;
	cells = <0xdeadbeef 0x1>;
	letters = "abc";
	bytes = [00 01 02];
	control = [1b 5b 00];
	latin1 = [e9 00];
	not-ended = <0x61626364>;
	two-empty = [00 00];

	first: second: node@1 {
		reg = <0x1>;

		deep: inner {
		};
	};

	__symbols__ {
		first = "/node@1";
		second = "/node@1";
		deep = "/node@1/inner";
	};
};
`;
  expect(toDts(parseFdt(await compile(source)))).toBe(source);
});
