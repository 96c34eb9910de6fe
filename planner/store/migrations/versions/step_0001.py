"""Records and their revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "records",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("other_of", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.ForeignKeyConstraint(["other_of"], ["records.id"], name="fk_records_records"),
    )
    op.create_index("ix_records_kind", "records", ["kind"])
    op.create_table(
        "revisions",
        sa.Column("record", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("record", "number", name="pk_revisions"),
        sa.ForeignKeyConstraint(["record"], ["records.id"], name="fk_revisions_records"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("revisions")
    op.drop_index("ix_records_kind", "records")
    op.drop_table("records")
