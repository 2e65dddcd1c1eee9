/* The behaviours by their number: the order of BEHAVIOURS in board/board-plan.ts. */
#include "../board.h"

extern const struct behaviour i2c_imx, i2c_rk3x, spmi_arbiter, ti_sci, raspberry_pi_mailbox, sunxi_rsb;
extern const struct behaviour qcom_smd_rpm, qcom_glink_rpm;
extern const struct behaviour i2c_mv64xxx, i2c_omap, i2c_bcm2835, spi_rockchip, rockchip_sfc, scmi;
extern const struct behaviour cadence_quadspi, fsl_quadspi, nxp_fspi;
extern const struct behaviour i2c_tegra, i2c_designware, mtk_pwrap, imx_scu;

static const struct behaviour *const table[] = {
	&i2c_imx,
	&i2c_rk3x,
	&spmi_arbiter,
	&ti_sci,
	&raspberry_pi_mailbox,
	&sunxi_rsb,
	&qcom_smd_rpm,
	&qcom_glink_rpm,
	&i2c_mv64xxx,
	&i2c_omap,
	&i2c_bcm2835,
	&spi_rockchip,
	&rockchip_sfc,
	&scmi,
	&cadence_quadspi,
	&fsl_quadspi,
	&nxp_fspi,
	&i2c_tegra,
	&i2c_designware,
	&mtk_pwrap,
	&imx_scu,
};

const struct behaviour *behaviour_of(const struct placed *placed)
{
	if (placed->behaviour >= sizeof(table) / sizeof(table[0]))
		die(0, placed->behaviour);
	return table[placed->behaviour];
}
