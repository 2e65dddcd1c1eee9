/* The behaviours by their number: the order of BEHAVIOURS in board/plan.ts. */
#include "../board.h"

extern const struct behaviour i2c_imx, i2c_rk3x, spmi_arbiter, ti_sci, raspberry_pi_mailbox, sunxi_rsb, qcom_smd_rpm, qcom_glink_rpm;

static const struct behaviour *const table[] = {
	&i2c_imx, &i2c_rk3x, &spmi_arbiter, &ti_sci, &raspberry_pi_mailbox, &sunxi_rsb, &qcom_smd_rpm, &qcom_glink_rpm,
};

const struct behaviour *behaviour_of(const struct placed *placed)
{
	if (placed->behaviour >= sizeof(table) / sizeof(table[0]))
		die(0, placed->behaviour);
	return table[placed->behaviour];
}
