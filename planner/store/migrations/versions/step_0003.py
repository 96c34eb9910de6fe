"""Work that is done beside the server."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of jobs."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("share", sa.Float),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("begun", sa.DateTime),
        sa.Column("ended", sa.DateTime),
        sa.Column("beat", sa.DateTime),
        sa.Column("runner", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("stop", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_jobs_state", "jobs")
    op.drop_table("jobs")
