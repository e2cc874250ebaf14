"""What people see in a browser: plain pages, rendered here, that work without JavaScript."""

from bot.pages.routes import router

__all__ = ["router"]
